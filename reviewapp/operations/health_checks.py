"""What /health/ready asks, each with a bound on the time it may take, and what the answers mean together.

ok         as it should be
degraded   people can work; somebody should look (no worker, late deliveries, Mixpeek away)
down       this process cannot serve a page: the database is away or not migrated
unknown    could not be asked, because the database is down
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from reviewapp.operations.upstream_health import reach
from reviewapp.outbox.models import Change
from reviewapp.outbox.status import health
from reviewapp.postgres.exceptions import EmbeddedPostgresError

OK, DEGRADED, DOWN, UNKNOWN = "ok", "degraded", "down", "unknown"
_OUR_CHECKS = ("migrations", "worker", "changes")
_MOST_QUERY_SECONDS = 2


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One question's answer: a status word for everybody, details for those who may see them."""

    name: str
    status: str
    details: dict[str, Any] = field(default_factory=dict)


def ask() -> list[Answer]:
    """Ask everything; database first, and Mixpeek outside any transaction. Raises nothing."""
    return [*_ask_database(), _upstream()]


def verdict(answers: list[Answer]) -> str:
    """Return `ready`, `degraded` or `down`: only what keeps this very process from serving pages takes it down."""
    found = {answer.status for answer in answers}
    if DOWN in found:
        return "down"
    return "ready" if found == {OK} else "degraded"


def _ask_database() -> list[Answer]:
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{_MOST_QUERY_SECONDS}s'")
            migrations = _migrations()
            later = [_workers(), _changes()] if migrations.status == OK else _unknown("worker", "changes")
            return [Answer(name="database", status=OK), migrations, *later]
    except (DatabaseError, EmbeddedPostgresError, ImproperlyConfigured) as error:
        why = {"error": type(error).__name__, "message": str(error).strip().splitlines()[:1]}
        return [Answer(name="database", status=DOWN, details=why), *_unknown(*_OUR_CHECKS)]


def _unknown(*names: str) -> list[Answer]:
    return [Answer(name=name, status=UNKNOWN) for name in names]


def _migrations() -> Answer:
    missing = sorted(
        f"{app}.{name}" for app, name in _wanted() - set(MigrationRecorder(connection).applied_migrations())
    )
    return Answer(name="migrations", status=DOWN if missing else OK, details={"missing": missing})


@lru_cache(maxsize=1)
def _wanted() -> frozenset[tuple[str, str]]:
    """Return every migration of this code, without asking the database; squashed ones count by their new name."""
    loader = MigrationLoader(None)
    return frozenset(loader.disk_migrations)


def _workers() -> Answer:
    alive = health.workers_alive()
    return Answer(name="worker", status=OK if alive else DEGRADED, details={"alive": alive})


def _changes() -> Answer:
    oldest = Change.objects.oldest_waiting()
    age = timezone.now() - oldest if oldest else timedelta(0)
    late = age > timedelta(seconds=settings.READY_MAX_CHANGE_AGE)
    details = {"oldest_seconds": round(age.total_seconds(), 1), "most_seconds": settings.READY_MAX_CHANGE_AGE}
    pause = health.standing().pause
    return Answer(
        name="changes",
        status=DEGRADED if late or pause else OK,
        details={**details, "paused": pause.reason if pause else None},
    )


def _upstream() -> Answer:
    found = reach()
    details = {"status": found.status, "seconds": round(found.seconds, 3)}
    return Answer(name="upstream", status=OK if found.is_up else DEGRADED, details=details)
