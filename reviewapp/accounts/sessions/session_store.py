"""Django's database sessions, read by a statement of ours, because every request reads one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import InterfaceError, OperationalError
from django.db.models import Exists, OuterRef
from django.utils import timezone

from reviewapp.postgres.statement import sql_file

# Long enough to sign in. Anybody can create such sessions, so they must not last.
ANONYMOUS_SECONDS = 3600
_ONE_DAY = timedelta(days=1)

_SESSION = sql_file(__file__, "session.sql", str)


class SessionStore(db.SessionStore):
    """Django's session store with a quick read, short anonymous sessions, and other errors."""

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

    def load(self) -> dict[str, Any]:
        """Return what the session holds; one that is unknown or expired gets a new key."""
        session_data = _SESSION.first(key=str(self.session_key), now=timezone.now())
        if session_data is None:
            # Django forgets the key: a session never has a key that its visitor chose.
            return super().load()
        return self.decode(session_data)


def delete_expired(*, now: datetime) -> None:
    """Delete expired sessions, and entries in the lists of sessions whose session is gone."""
    Session.objects.filter(expire_date__lt=now).delete()

    session = Session.objects.filter(session_key=OuterRef("session_key"))
    # An entry is saved shortly before its session, so new entries are not deleted.
    unused = UserSession.objects.filter(last_seen_at__lt=now - _ONE_DAY)
    unused.exclude(Exists(session)).delete()
