"""Django's database sessions, read with a compiled query, because every request reads one."""

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

# Long enough to sign in. Anybody can create such sessions, so they must not last.
ANONYMOUS_SECONDS = 3600
_ONE_DAY = timedelta(days=1)


class SessionStore(db.SessionStore):
    """Django's session store with a compiled query, short anonymous sessions, and other errors."""

    def get_session_cookie_age(self) -> int:
        """Return the seconds until an unused session expires: an hour if nobody is signed in."""
        age = super().get_session_cookie_age()
        if SESSION_KEY in self:
            return age
        return min(age, ANONYMOUS_SECONDS)

    def save(self, must_create: bool = False) -> None:
        """Save the session; raises `UpdateError` only if it was deleted meanwhile.

        Django raises it for every database error, and would then reject the request as malformed
        although its decision is already saved.
        """
        try:
            super().save(must_create)
        except UpdateError as error:
            if isinstance(error.__context__, OperationalError | InterfaceError):
                raise error.__context__ from None
            raise

    def _get_session_from_db(self) -> Session | None:
        sessions = _read_unexpired(key=str(self.session_key), now=timezone.now())
        if not sessions:
            self._session_key = None
            return None
        return sessions[0]


def delete_expired(*, now: datetime) -> None:
    """Delete expired sessions, and entries in the lists of sessions whose session is gone."""
    Session.objects.filter(expire_date__lt=now).delete()

    session = Session.objects.filter(session_key=OuterRef("session_key"))
    # An entry is saved shortly before its session, so new entries are not deleted.
    unused = UserSession.objects.filter(last_seen_at__lt=now - _ONE_DAY)
    unused.exclude(Exists(session)).delete()


@asked
def _read_unexpired(key: str, now: datetime) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=now)
