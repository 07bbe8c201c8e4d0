"""Sessions in the database, as Django keeps them; each request asks for one, so the question is kept prepared."""

from __future__ import annotations

from datetime import datetime

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.utils import timezone

from reviewapp.asked import asked


class SessionStore(db.SessionStore):
    """Django's, but for how one is found, and what is said when the database is lost."""

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


@asked
def _under_way(key: str, now: datetime) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=now)
