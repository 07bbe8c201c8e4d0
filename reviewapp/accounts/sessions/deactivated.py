"""The message for a browser whose session is void because the person was deactivated."""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from reviewapp.accounts.models import User

_MESSAGE = _(
    "Your account was deactivated. Ask an admin to reactivate it. Your unsent work is still in "
    "this browser."
)


def deactivation_message(request: HttpRequest) -> str:
    """Return the message for a browser with the session of a deactivated person; "" for any other.

    One query for a browser that is signed out but has a session of a person, else none.
    """
    if request.user.is_authenticated:
        return ""

    pk = request.session.get(SESSION_KEY)
    if pk and User.people.filter(pk=pk, is_active=False).exists():
        return str(_MESSAGE)
    return ""
