"""Sessions in the database, as Django keeps them; each request asks for one, so the question is kept prepared."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import InterfaceError, OperationalError
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from reviewapp.asked import asked

# Long enough to sign in; what anybody can make without signing in must not last.
ANONYMOUS_SECONDS = 3600
_A_DAY = timedelta(days=1)


class SessionStore(db.SessionStore):
    """Django's, but for how one is found, how long a stranger's lasts, and what is said when the database is lost."""

    def get_session_cookie_age(self) -> int:
        """Return the seconds until a session ends that is not used: an hour unless somebody is signed in."""
        age = super().get_session_cookie_age()
        return age if SESSION_KEY in self else min(age, ANONYMOUS_SECONDS)

    def save(self, must_create: bool = False) -> None:
        """Store the session; raises `UpdateError` only if it was deleted meanwhile.

        Django takes every failure of the database for that, and tells the person, whose decision is stored by now, that
        the request was a bad one.
        """
        try:
            super().save(must_create)
        except UpdateError as error:
            if isinstance(error.__context__, OperationalError | InterfaceError):
                raise error.__context__ from None
            raise

    def _get_session_from_db(self) -> Session | None:
        found = _under_way(key=str(self.session_key), now=timezone.now())
        if not found:
            self._session_key = None
        return found[0] if found else None


def delete_expired(*, now: datetime) -> None:
    """Delete sessions that have expired, and the entries of people's lists whose session is gone."""
    Session.objects.filter(expire_date__lt=now).delete()

    session = Session.objects.filter(session_key=OuterRef("session_key"))
    # An entry is stored a moment before its session is.
    unused = UserSession.objects.filter(last_seen_at__lt=now - _A_DAY)
    unused.exclude(Exists(session)).delete()


@asked
def _under_way(key: str, now: datetime) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=now)
