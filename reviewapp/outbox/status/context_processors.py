"""What every page shows of the outbox: the banner, and how many changes wait for a person."""

from __future__ import annotations

from django.http import HttpRequest

from reviewapp.outbox.status.health import MAX_COUNT, DeliveryHealth, delivery_health


def delivery_banner(request: HttpRequest) -> dict[str, object]:
    """Return the banner's context and that of the number of changes that wait for a person.

    Anonymous users and fragments get nothing here: see `page_updates.with_updates`.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    if getattr(request, "htmx", False):
        return {}

    health = delivery_health(user)
    return {**banner_context(health), **attention_context(health)}


def banner_context(health: DeliveryHealth) -> dict[str, object]:
    """Return the context of the banner's template."""
    return {
        "pause": health.pause,
        "worker_missing": not health.worker_alive,
        "told": health.banner_state,
    }


def attention_context(health: DeliveryHealth) -> dict[str, object]:
    """Return the context of the badge's template; its number stops at 99, to stay cheap."""
    count = str(health.waiting or "")
    if health.waiting > MAX_COUNT:
        count = f"{MAX_COUNT}+"
    return {"attention_count": count, "attention_state": health.attention_state}
