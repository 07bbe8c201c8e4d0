"""What a browser is told whose session is void because its person was deactivated: signing in again cannot work."""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest

from reviewapp.accounts.models import User

_SENTENCE = "Your account was deactivated. Ask an admin to have it back; what you typed is still in this browser."


def sentence(request: HttpRequest) -> str:
    """Return what to say to the browser that still holds the session of somebody deactivated, "" to any other.

    At most one query, and none for a stranger without a session or for somebody who is signed in.
    """
    pk = None if request.user.is_authenticated else request.session.get(SESSION_KEY)
    return _SENTENCE if pk and User.people.filter(pk=pk, is_active=False).exists() else ""
