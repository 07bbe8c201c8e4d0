"""Sessions in the database, as Django keeps them; each request asks for one, so the question is kept prepared."""

from __future__ import annotations

from datetime import datetime

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from reviewapp.asked import asked


class SessionStore(db.SessionStore):
    """Django's, but for how one is found."""

    def _get_session_from_db(self) -> Session | None:
        found = _under_way(key=str(self.session_key), now=timezone.now())
        if not found:
            self._session_key = None
        return found[0] if found else None


@asked
def _under_way(key: str, now: datetime) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=now)
