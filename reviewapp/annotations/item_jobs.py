"""Work on many items in the background: each in a transaction of its own, with its result.

A job that a crash interrupts goes on with the items that are left. Several workers may run one job:
each item is locked. Reverts and batches are such jobs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from reviewapp.annotations.decide.exceptions import FieldsRefused, StaleSubmission
from reviewapp.annotations.models import Batch, BatchItem, Decision, Revert, RevertedDecision
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import acting, tracing

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

Job: TypeAlias = Batch | Revert
Item: TypeAlias = BatchItem | RevertedDecision

# The effect of an item that others have changed, of every kind of job.
CHANGED_SINCE = "changed_since"
# After so many items the actor's rights are looked at again.
_AT_ONCE = 20
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ItemResult:
    """What was done with an item; `decision` is the new one if it made one."""

    effect: str
    is_skipped: bool
    decision: Decision | None = None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """How one kind of job treats its items.

    `require_permission` raises `PermissionDenied` where the actor may not do the job, and `stopped`
    then says so of `%(name)s`. `run_item` is called inside a transaction; what it does is rolled
    back when it raises. `decision_field` is where an item keeps the decision that it made.
    """

    model: type[Batch] | type[Revert]
    decision_field: str
    require_permission: Callable[[Any, User], None]
    run_item: Callable[[Any, Any, User], ItemResult]
    stopped: str | Promise


def run_unfinished(kind: JobKind) -> None:
    """Go on with every job of this kind that is not finished, the oldest first."""
    for job in kind.model.objects.filter(finished_at=None).order_by("pk"):
        run(kind, job)


def run(kind: JobKind, job: Job) -> None:
    """Do what is left of a job; it stops, and says so, when its person may no longer do it."""
    while True:
        # Read anew: rights may have been taken since.
        actor = get_user_model().objects.get(pk=job.actor_id)
        try:
            kind.require_permission(job, actor)
        except PermissionDenied:
            _finish(kind, job, stopped=kind.stopped % {"name": actor})
            return

        for _turn in range(_AT_ONCE):
            if not _run_next(kind, job, actor):
                _finish(kind, job)
                return


def _finish(kind: JobKind, job: Job, *, stopped: str = "") -> None:
    """Mark a job as finished, unless another worker still has an item of it."""
    if job.items.filter(state="waiting").exists() and not stopped:
        return
    with tracing(Origin.WEB, job.request_id), acting(job.actor, note=job.note):
        unfinished = kind.model.objects.filter(pk=job.pk, finished_at=None)
        unfinished.update(finished_at=timezone.now(), stopped=stopped)


def _run_next(kind: JobKind, job: Job, actor: User) -> bool:
    """Do one waiting item that no other worker has; returns whether there was one."""
    with tracing(Origin.WEB, job.request_id), acting(actor, note=job.note):
        waiting = job.items.filter(state="waiting").order_by("pk")
        item = waiting.select_for_update(skip_locked=True).first()
        if item is None:
            return False

        try:
            with transaction.atomic():
                result = kind.run_item(job, item, actor)
        except FieldsRefused as error:
            _settle(item, item.State.FAILED, problem=str(error))
        except StaleSubmission:
            _settle(item, item.State.SKIPPED, effect=CHANGED_SINCE)
        except (OperationalError, InterfaceError):
            # The database is away: the next sweep goes on here.
            raise
        except Exception:
            # One item must not keep the others from being done.
            _logger.exception("item %s of %s could not be done", item.pk, job.request_id)
            problem = _("An unexpected error occurred. The log of the worker says more.")
            _settle(item, item.State.FAILED, problem=problem)
        else:
            state = item.State.SKIPPED if result.is_skipped else item.State.DONE
            _settle(
                item,
                state,
                effect=result.effect,
                problem=result.problem,
                **{kind.decision_field: result.decision},
            )
    return True


def _settle(item: Item, state: str, **result: Any) -> None:
    """Keep the result of an item: its state, and the other fields that tell what was done."""
    values = {"state": state, "done_at": timezone.now(), **result}
    for name, value in values.items():
        setattr(item, name, value)
    item.save(update_fields=list(values))
