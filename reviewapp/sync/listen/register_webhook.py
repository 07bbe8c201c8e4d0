"""Register our webhook with Mixpeek, or update the one registered before."""

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
    """The URL cannot receive webhooks; the message is a sentence for the person who typed it."""


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A registered webhook, with the secret generated for it, "" if one was configured."""

    webhook: WebhookRecord
    is_new: bool
    generated_secret: str


def register(client: Client, *, name: str, url: str) -> Registered:
    """Register an active webhook called `name` for annotation events, replacing an existing one.

    Raises `BadAddress`, and what the client raises.
    """
    example = "For example: https://review.example.com/webhooks/mixpeek"
    try:
        parts = urlsplit(url)
        host = parts.hostname
        # Raises where the port is no number.
        _ = parts.port
    except ValueError:
        raise BadAddress(f"{url!r} is no address. {example}") from None

    if parts.scheme not in {"http", "https"} or not host:
        raise BadAddress(f"{url!r} is no https:// address. {example}")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise BadAddress(
            f"{url!r} is not https: what Mixpeek sends would be read on the way. {example}",
        )

    existing = None
    for webhook in client.list_webhooks():
        if webhook.name == name:
            existing = webhook
            break

    secret = settings.MIXPEEK_WEBHOOK_SECRET
    generated = ""
    if not secret:
        generated = secrets.token_hex(32)
        secret = generated
    headers = {}
    if settings.MIXPEEK_WEBHOOK_STATIC:
        headers["X-Mixpeek-Secret"] = secret
    webhook_id = None
    if existing:
        webhook_id = existing.webhook_id

    webhook = client.put_webhook(
        name=name,
        url=url,
        event_types=EVENT_TYPES,
        signing_secret=secret,
        headers=headers,
        webhook_id=webhook_id,
    )
    return Registered(webhook=webhook, is_new=existing is None, generated_secret=generated)
