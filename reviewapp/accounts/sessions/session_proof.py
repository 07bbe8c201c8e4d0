"""A signed cookie that proves who was signed in at a browser, also after the session has ended.

It gives no access. It only distinguishes a browser that had a session from a stranger who posts a
form or tries passwords.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from reviewapp.accounts.models import User

_SALT = "reviewapp.accounts.session_proof"
_GRACE_SECONDS = 3600


def set_session_proof(response: HttpResponse, person: User) -> None:
    """Set the cookie, which lasts an hour longer than an unused session."""
    response.set_signed_cookie(
        settings.SESSION_PROOF_COOKIE_NAME,
        str(person.pk),
        salt=_SALT,
        max_age=_max_age(),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
        path=settings.SESSION_COOKIE_PATH,
    )


def has_session_proof(request: HttpRequest) -> bool:
    """Return whether the browser sent the cookie, valid or not."""
    return settings.SESSION_PROOF_COOKIE_NAME in request.COOKIES


def proven_person_id(request: HttpRequest) -> int | None:
    """Return the id of the active person who was signed in at this browser; None for a stranger."""
    value = request.get_signed_cookie(
        settings.SESSION_PROOF_COOKIE_NAME, default=None, salt=_SALT, max_age=_max_age()
    )
    if value is None:
        return None

    person = User.people.filter(pk=value, is_active=True).first()
    if person:
        return person.pk
    return None


def _max_age() -> int:
    return settings.SESSION_COOKIE_AGE + _GRACE_SECONDS
