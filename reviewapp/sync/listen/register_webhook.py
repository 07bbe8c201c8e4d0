"""Register our webhook with Mixpeek, or bring the one we registered before up to date."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.records import WebhookRecord
from reviewapp.sync.listen.event_parser import EVENT_TYPES

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class BadAddress(ValueError):
    """The address cannot receive webhooks; the message is a sentence for whoever typed it."""


@dataclass(frozen=True, kw_only=True)
class Registered:
    """What was registered; `made_secret` is the secret that nobody has configured yet, "" when one was."""

    webhook: WebhookRecord
    is_new: bool
    made_secret: str


def register(client: Client, *, name: str, url: str) -> Registered:
    """Register a webhook called `name` for the changes of annotations; an existing one is replaced and active again.

    Raises `BadAddress`, and what the client raises.
    """
    _check(url)
    existing = next((each for each in client.list_webhooks() if each.name == name), None)
    made = "" if settings.MIXPEEK_WEBHOOK_SECRET else secrets.token_hex(32)
    secret = settings.MIXPEEK_WEBHOOK_SECRET or made
    webhook = client.put_webhook(
        name=name,
        url=url,
        event_types=EVENT_TYPES,
        signing_secret=secret,
        headers={"X-Mixpeek-Secret": secret} if settings.MIXPEEK_WEBHOOK_STATIC else {},
        webhook_id=existing.webhook_id if existing else None,
    )
    return Registered(webhook=webhook, is_new=existing is None, made_secret=made)


def _check(url: str) -> None:
    good = "For example: https://review.example.com/webhooks/mixpeek"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise BadAddress(f"{url!r} is no address. {good}") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise BadAddress(f"{url!r} is no https:// address. {good}")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise BadAddress(f"{url!r} is not https: what Mixpeek sends would be read on the way. {good}")
