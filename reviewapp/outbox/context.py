"""What every page knows of the outbox: whether it is paused, and how much waits for a person."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest

from reviewapp.outbox.models import Pause

_COUNTED = 99
_NEWS = """
SELECT waiting.number, pause.reason, pause.since
FROM (SELECT count(*) AS number FROM (
    SELECT FROM outbox_change WHERE state IN ('conflict', 'refused') ORDER BY id DESC LIMIT %s) capped) waiting
LEFT JOIN outbox_pause pause ON true
"""


def pause(request: HttpRequest) -> dict[str, object]:
    """Return the pause that every page must show, if there is one, and how many changes wait for a person.

    The count stops at 99, so that it stays cheap. Strangers and fragments are told nothing.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or getattr(request, "htmx", False):
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_NEWS, [_COUNTED + 1])
        waiting, reason, since = cursor.fetchone() or (0, None, None)
    return {
        "pause": Pause(reason=str(reason), since=since) if since else None,
        "attention_count": f"{_COUNTED}+" if waiting > _COUNTED else waiting,
    }
