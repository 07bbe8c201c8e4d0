"""What every page knows of the outbox: whether anything is delivered at all, and how much waits for a person."""

from __future__ import annotations

from django.http import HttpRequest

from reviewapp.outbox.status.health import MOST_COUNTED, Standing, standing


def pause(request: HttpRequest) -> dict[str, object]:
    """Return the pause that every page must show, if there is one, and how many changes wait for a person.

    `worker_missing` is whether no worker is alive. The count stops at 99, so that it stays cheap. Strangers and
    fragments are told nothing here: see `banner.with_banner`.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or getattr(request, "htmx", False):
        return {}
    now = standing()
    return told_as(now) | {"attention_count": f"{MOST_COUNTED}+" if now.waiting > MOST_COUNTED else now.waiting}


def told_as(now: Standing) -> dict[str, object]:
    """Return what the banner shows of it."""
    return {"pause": now.pause, "worker_missing": not now.worker_alive, "told": now.told}
