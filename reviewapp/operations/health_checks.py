"""The checks of /health/ready, each with a time limit, and their verdict.

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

from reviewapp.operations.upstream_health import ping_mixpeek
from reviewapp.outbox.models import Change
from reviewapp.outbox.status import health
from reviewapp.postgres.exceptions import EmbeddedPostgresError

OK = "ok"
DEGRADED = "degraded"
DOWN = "down"
UNKNOWN = "unknown"
_DATABASE_CHECKS = ("migrations", "worker", "changes")
_QUERY_TIMEOUT = 2  # seconds


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The result of one check: a status for everybody, details for those who may see them."""

    name: str
    status: str
    details: dict[str, Any] = field(default_factory=dict)


def run_checks() -> list[CheckResult]:
    """Run all checks, the database first and Mixpeek outside any transaction. Raises nothing."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{_QUERY_TIMEOUT}s'")
            migrations = check_migrations()
            results = [CheckResult(name="database", status=OK), migrations]
            if migrations.status == OK:
                results += [check_workers(), check_deliveries()]
            else:
                results += _unknown("worker", "changes")
    except (DatabaseError, EmbeddedPostgresError, ImproperlyConfigured) as error:
        first_line = str(error).strip().splitlines()[:1]
        details = {"error": type(error).__name__, "message": first_line}
        results = [CheckResult(name="database", status=DOWN, details=details)]
        results += _unknown(*_DATABASE_CHECKS)

    return [*results, check_upstream()]


def verdict(results: list[CheckResult]) -> str:
    """Return `ready`, `degraded`, or `down` if this process cannot serve pages."""
    statuses = {result.status for result in results}
    if DOWN in statuses:
        return "down"
    if statuses == {OK}:
        return "ready"
    return "degraded"


def _unknown(*names: str) -> list[CheckResult]:
    return [CheckResult(name=name, status=UNKNOWN) for name in names]


def check_migrations() -> CheckResult:
    """Check that every migration of the code is applied."""
    applied = set(MigrationRecorder(connection).applied_migrations())
    missing = sorted(f"{app}.{name}" for app, name in _migrations_on_disk() - applied)
    status = OK
    if missing:
        status = DOWN
    return CheckResult(name="migrations", status=status, details={"missing": missing})


@lru_cache(maxsize=1)
def _migrations_on_disk() -> frozenset[tuple[str, str]]:
    """Return all migrations of the code as (app, name); squashed ones under their new name."""
    loader = MigrationLoader(None)
    return frozenset(loader.disk_migrations)


def check_workers() -> CheckResult:
    """Check that a worker is alive."""
    alive = health.workers_alive()
    status = OK
    if not alive:
        status = DEGRADED
    return CheckResult(name="worker", status=status, details={"alive": alive})


def check_deliveries() -> CheckResult:
    """Check that deliveries are not paused, and that no change has waited for too long."""
    age = timedelta(0)
    oldest = Change.objects.oldest_waiting()
    if oldest:
        age = timezone.now() - oldest
    is_late = age > timedelta(seconds=settings.READY_MAX_CHANGE_AGE)

    pause_reason = None
    pause = health.delivery_health().pause
    if pause:
        pause_reason = pause.reason

    status = OK
    if is_late or pause:
        status = DEGRADED
    details = {
        "oldest_seconds": round(age.total_seconds(), 1),
        "most_seconds": settings.READY_MAX_CHANGE_AGE,
        "paused": pause_reason,
    }
    return CheckResult(name="changes", status=status, details=details)


def check_upstream() -> CheckResult:
    """Check that Mixpeek answers; makes one request."""
    result = ping_mixpeek()
    status = OK
    if not result.is_up:
        status = DEGRADED
    details = {"status": result.status, "seconds": round(result.seconds, 3)}
    return CheckResult(name="upstream", status=status, details=details)
