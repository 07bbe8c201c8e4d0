"""Keep a posted form whose session has ended until the same browser has signed in again.

It is kept in the browser's next session, a row that is created without signing in. So only a
browser that proves that it had a session gets one, and the rows are bounded in size, in number per
person, and in time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.core import ratelimit
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from reviewapp.accounts.sessions.session_proof import proven_person_id
from reviewapp.annotations.decide.forms import DecisionForm

# Enough for the largest payload and reasoning, and for the same again in the base.
MAX_BYTES = 256 * 1024
_SESSION_KEY = "kept_decision"
_MAX_AGE = timedelta(hours=1)


class TooOften(Exception):
    """Too many forms of this person were kept within the hour: try again later."""


def keep(request: HttpRequest, annotation_id: int) -> None:
    """Put the posted decision into the anonymous session; signing in carries it over.

    Keeps nothing unless the browser had a session. Raises `RequestDataTooBig` above `MAX_BYTES`
    bytes, and `TooOften`.
    """
    person_id = proven_person_id(request)
    if person_id is None:
        return

    form_data = {}
    size = 0
    for name in DecisionForm.base_fields:
        text = request.POST.get(name)
        if text:
            form_data[name] = text
            size += len(text.encode(errors="replace"))
    if size > MAX_BYTES:
        problem = _("The form is too large to be kept while you sign in.")
        raise RequestDataTooBig(problem)
    if not ratelimit.consume(request, action="kept_form", key=str(person_id)):
        raise TooOften

    form_data.setdefault("person", str(person_id))
    request.session[_SESSION_KEY] = {
        "annotation": annotation_id,
        "at": timezone.now().isoformat(),
        "typed": form_data,
    }


def has(request: HttpRequest, annotation_id: int) -> bool:
    """Return whether a form for this annotation is kept, whoever's it is."""
    rescued = request.session.get(_SESSION_KEY)
    return rescued is not None and rescued["annotation"] == annotation_id


def pop(request: HttpRequest, annotation_id: int) -> dict[str, str] | None:
    """Return this person's kept form for this annotation and remove it from the session.

    None if there is none, or it is older than an hour.
    """
    rescued = request.session.get(_SESSION_KEY)
    if not rescued or rescued["annotation"] != annotation_id:
        return None

    form_data = rescued["typed"]
    if form_data.get("person", "") not in {"", str(request.user.pk)}:
        return None

    del request.session[_SESSION_KEY]
    age = timezone.now() - datetime.fromisoformat(rescued["at"])
    if age >= _MAX_AGE:
        return None
    return dict(form_data)
