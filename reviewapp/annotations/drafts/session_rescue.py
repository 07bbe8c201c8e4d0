"""Keep what was typed when a session ends in the middle of a form, until the same browser has signed in again.

It waits in the browser's next session, a row that is made without signing in. So only a browser that proves that it
had a session is given one, and the rows are bounded in size, in number for each person, and in time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.core import ratelimit
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.utils import timezone

from reviewapp.accounts.sessions.session_proof import proven_person_id
from reviewapp.annotations.decide.forms import DecisionForm

# A form with the largest payload and reasoning, and the same again for what they are based on.
MOST_BYTES = 256 * 1024
_KEY = "kept_decision"
_LASTS = timedelta(hours=1)


class TooOften(Exception):
    """So many forms of this person were kept within the hour that this one is not: ask to come back later."""


def keep(request: HttpRequest, annotation_id: int) -> None:
    """Put the posted decision into the (anonymous) session; signing in carries it over.

    A stranger's is not kept. Raises `RequestDataTooBig` above `MOST_BYTES`, and `TooOften`.
    """
    person_id = proven_person_id(request)
    if person_id is None:
        return

    typed = {name: value for name in DecisionForm.base_fields if (value := request.POST.get(name))}
    if sum(len(value.encode(errors="replace")) for value in typed.values()) > MOST_BYTES:
        raise RequestDataTooBig("The form is too large to be kept until its person has signed in again.")
    if not ratelimit.consume(request, action="kept_form", key=str(person_id)):
        raise TooOften

    typed.setdefault("person", str(person_id))
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
