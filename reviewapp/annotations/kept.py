"""Keep what was typed when a session ends in the middle of a form, until the same browser has signed in again."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils import timezone

from reviewapp.annotations.forms import DecisionForm

_KEY = "kept_decision"
_LASTS = timedelta(hours=1)


def keep(request: HttpRequest, annotation_id: int) -> None:
    """Put the posted decision into the (anonymous) session; signing in carries it over."""
    typed = {name: value for name in DecisionForm.base_fields if (value := request.POST.get(name))}
    request.session[_KEY] = {"annotation": annotation_id, "at": timezone.now().isoformat(), "typed": typed}


def take_back(request: HttpRequest, annotation_id: int) -> dict[str, str] | None:
    """Return what this person had typed about this annotation within the last hour, once; None for nothing."""
    kept = request.session.get(_KEY)
    if not kept or kept["annotation"] != annotation_id:
        return None
    if kept["typed"].get("person", "") not in {"", str(request.user.pk)}:
        return None
    del request.session[_KEY]
    fresh = timezone.now() - datetime.fromisoformat(kept["at"]) < _LASTS
    return dict(kept["typed"]) if fresh else None
