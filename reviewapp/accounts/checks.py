"""System checks for settings with which the app starts but cannot work."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

NO_NAMESPACE = Error(
    "MIXPEEK_API_KEY is set but MIXPEEK_NAMESPACE is not, so no request can say which namespace it "
    "means.",
    hint="Set MIXPEEK_NAMESPACE to the namespace's id or name. "
    "For example: MIXPEEK_NAMESPACE=ns_1a2b3c",
    id="reviewapp.E001",
)
NO_KEY = Warning(
    "MIXPEEK_API_KEY is not set, so nothing can be pulled from Mixpeek or delivered to it.",
    hint="Set MIXPEEK_API_KEY and MIXPEEK_NAMESPACE, or use `make run`, which brings a sandbox.",
    id="reviewapp.W001",
)


def check_mixpeek(**_: Any) -> list[CheckMessage]:
    """Report a key without its namespace, and (outside DEBUG) a missing key."""
    if settings.MIXPEEK_API_KEY and not settings.MIXPEEK_NAMESPACE:
        return [NO_NAMESPACE]
    if not settings.MIXPEEK_API_KEY and not settings.DEBUG:
        return [NO_KEY]
    return []
