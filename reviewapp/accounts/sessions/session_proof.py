"""A signed cookie by which a browser proves, after its session has ended, who was signed in there.

It opens nothing. It only tells a browser that had a session from a stranger who posts a form, or tries passwords.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from reviewapp.accounts.models import User

COOKIE = "last_session"
_SALT = "reviewapp.accounts.session_proof"
_GRACE_SECONDS = 3600


def set_session_proof(response: HttpResponse, person: User) -> None:
    """Give the browser the proof, which outlasts an unused session by an hour."""
    response.set_signed_cookie(
        COOKIE,
        str(person.pk),
        salt=_SALT,
        max_age=_max_age(),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def has_session_proof(request: HttpRequest) -> bool:
    """Return whether the browser sent a proof, good or not."""
    return COOKIE in request.COOKIES


def proven_person_id(request: HttpRequest) -> int | None:
    """Return who was signed in at this browser; None for a stranger and for somebody deactivated since."""
    value = request.get_signed_cookie(COOKIE, default=None, salt=_SALT, max_age=_max_age())
    if value is None:
        return None
    person = User.people.filter(pk=value, is_active=True).first()
    return person.pk if person else None


def _max_age() -> int:
    return settings.SESSION_COOKIE_AGE + _GRACE_SECONDS
