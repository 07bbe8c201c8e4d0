"""What `manage.py check` says about a set-up that starts but cannot be run well."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

SHORTEST_TOKEN = 20

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


def check_token(**_: Any) -> list[CheckMessage]:
    """Report a token for details and metrics that somebody could find by trying."""
    token = settings.METRICS_TOKEN
    return [GUESSABLE] if token and len(token) < SHORTEST_TOKEN else []


def check_hosts(**_: Any) -> list[CheckMessage]:
    """Report a deployment that answers to nobody but itself."""
    return [ONLY_LOOPBACK] if set(settings.ALLOWED_HOSTS) <= {"localhost", "127.0.0.1", "[::1]"} else []
