"""What every page knows of the outbox: whether it is paused, and why."""

from __future__ import annotations

from django.http import HttpRequest

from reviewapp.outbox.models import Pause


def pause(request: HttpRequest) -> dict[str, object]:
    """Return the pause that every page must show, if there is one; nothing for strangers and fragments."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or getattr(request, "htmx", False):
        return {}
    return {"pause": Pause.objects.first()}
