"""What `manage.py check` says about a set-up that starts but cannot be run well."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

SHORTEST_TOKEN = 20
# Below these names, and on the last ones themselves, anybody can have files.
_RENTED = (
    *(
        "amazonaws.com",
        "cloudfront.net",
        "googleapis.com",
        "windows.net",
        "cloudflarestorage.com",
        "r2.dev",
    ),
    *("digitaloceanspaces.com", "backblazeb2.com", "wasabisys.com"),
)
_SHARED = re.compile(r"s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com|storage\.googleapis\.com")

GUESSABLE = Error(
    f"METRICS_TOKEN has fewer than {SHORTEST_TOKEN} characters, so it can be guessed.",
    hint="Make a random one. For example: METRICS_TOKEN=$(openssl rand -hex 32)",
    id="reviewapp.E010",
)
ONLY_LOOPBACK = Warning(
    "ALLOWED_HOSTS names only this machine, so every request of a deployment's people is refused.",
    hint="Set ALLOWED_HOSTS to the names people use. For example: ALLOWED_HOSTS=review.example.com",
    id="reviewapp.W010",
)


def check_media(**_: Any) -> list[CheckMessage]:
    """Report patterns of MEDIA_HOSTS that let in files of people who have nothing to do with us."""
    return [
        Warning(
            f"MEDIA_HOSTS lists {pattern}, where anybody can put files.",
            hint="Name your own buckets. For example: MEDIA_HOSTS=https://my-bucket.s3.eu-central-1.amazonaws.com",
            id="reviewapp.W011",
        )
        for pattern in settings.MEDIA_HOSTS
        if _is_for_anybody(pattern.lower())
    ]


def _is_for_anybody(pattern: str) -> bool:
    host, _, path = pattern.rpartition("://")[2].partition("/")
    host = host.partition(":")[0]

    if host.startswith("*"):
        rest = host.removeprefix("*").removeprefix(".")
        return not rest or rest.endswith(_RENTED)
    return bool(_SHARED.fullmatch(host)) and not path


def check_token(**_: Any) -> list[CheckMessage]:
    """Report a token for details and metrics that somebody could find by trying."""
    token = settings.METRICS_TOKEN
    return [GUESSABLE] if token and len(token) < SHORTEST_TOKEN else []


def check_hosts(**_: Any) -> list[CheckMessage]:
    """Report a deployment that answers to nobody but itself."""
    return (
        [ONLY_LOOPBACK]
        if set(settings.ALLOWED_HOSTS) <= {"localhost", "127.0.0.1", "[::1]"}
        else []
    )
