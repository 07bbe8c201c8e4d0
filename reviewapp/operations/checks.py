"""System checks for settings with which the app starts but should not be run."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

SHORTEST_TOKEN = 20
_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "[::1]"}
# Below these domains anybody can rent a host of their own.
_RENTED_DOMAINS = (
    "amazonaws.com",
    "backblazeb2.com",
    "cloudflarestorage.com",
    "cloudfront.net",
    "digitaloceanspaces.com",
    "googleapis.com",
    "r2.dev",
    "wasabisys.com",
    "windows.net",
)
# On these hosts anybody can have a bucket, which is the first part of the path.
_SHARED_HOST = re.compile(r"s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com|storage\.googleapis\.com")

GUESSABLE = Error(
    f"METRICS_TOKEN has fewer than {SHORTEST_TOKEN} characters, so it can be guessed.",
    hint="Make a random one. For example: METRICS_TOKEN=$(openssl rand -hex 32)",
    id="reviewapp.E010",
)
ONLY_LOOPBACK = Warning(
    "ALLOWED_HOSTS names only this machine, so requests from other machines are refused.",
    hint="Set ALLOWED_HOSTS to the names people use. For example: ALLOWED_HOSTS=review.example.com",
    id="reviewapp.W010",
)


def check_media(**_: Any) -> list[CheckMessage]:
    """Report each pattern of MEDIA_HOSTS that matches hosts or buckets of strangers."""
    messages: list[CheckMessage] = []
    for pattern in settings.MEDIA_HOSTS:
        address, _slash, path = pattern.lower().rpartition("://")[2].partition("/")
        host = address.partition(":")[0]
        if host.startswith("*"):
            domain = host.removeprefix("*").removeprefix(".")
            matches_strangers = not domain or domain.endswith(_RENTED_DOMAINS)
        else:
            matches_strangers = not path and _SHARED_HOST.fullmatch(host) is not None
        if not matches_strangers:
            continue

        warning = Warning(
            f"MEDIA_HOSTS lists {pattern}, where anybody can put files.",
            hint="Name your own buckets. For example: "
            "MEDIA_HOSTS=https://my-bucket.s3.eu-central-1.amazonaws.com",
            id="reviewapp.W011",
        )
        messages.append(warning)
    return messages


def check_token(**_: Any) -> list[CheckMessage]:
    """Report a METRICS_TOKEN that is short enough to be guessed."""
    token = settings.METRICS_TOKEN
    if token and len(token) < SHORTEST_TOKEN:
        return [GUESSABLE]
    return []


def check_hosts(**_: Any) -> list[CheckMessage]:
    """Report a deployment that answers only requests from its own machine."""
    if set(settings.ALLOWED_HOSTS) <= _LOOPBACK_NAMES:
        return [ONLY_LOOPBACK]
    return []
