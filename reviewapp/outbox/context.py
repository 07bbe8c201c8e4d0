"""What every page knows of the outbox: whether it is paused, and how much waits for a person."""

from __future__ import annotations

from django.http import HttpRequest

from reviewapp.outbox.models import Change, Pause

_COUNTED = 99


def pause(request: HttpRequest) -> dict[str, object]:
    """Return the pause that every page must show, if there is one, and how many changes wait for a person.

    The count stops at 99, so that it stays cheap. Strangers and fragments are told nothing.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or getattr(request, "htmx", False):
        return {}
    waiting = len(Change.objects.attention().values_list("pk")[: _COUNTED + 1])
    return {
        "pause": Pause.objects.first(),
        "attention_count": f"{_COUNTED}+" if waiting > _COUNTED else waiting,
    }
