"""What every page shows of the outbox: the banner, and how many changes wait for a person."""

from __future__ import annotations

from django.http import HttpRequest

from reviewapp.outbox.status.health import MAX_COUNT, DeliveryHealth, delivery_health


def delivery_banner(request: HttpRequest) -> dict[str, object]:
    """Return the banner's context and the number of changes that wait for a person.

    The number stops at 99, so that it stays cheap. Anonymous users and fragments get nothing here:
    see `banner.with_banner`.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    if getattr(request, "htmx", False):
        return {}

    health = delivery_health()
    context = banner_context(health)
    context["attention_count"] = health.waiting
    if health.waiting > MAX_COUNT:
        context["attention_count"] = f"{MAX_COUNT}+"
    return context


def banner_context(health: DeliveryHealth) -> dict[str, object]:
    """Return the context of the banner's template."""
    return {
        "pause": health.pause,
        "worker_missing": not health.worker_alive,
        "told": health.banner_state,
    }
