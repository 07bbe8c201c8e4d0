"""Revert decisions in the background: each item in a transaction of its own, with its result.

A batch that a crash interrupts goes on with the items that are left. Several workers may run one
batch: each item is locked, and an item of two batches is reverted by the first.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from reviewapp.annotations.decide import undo
from reviewapp.annotations.decide.exceptions import FieldsRefused, StaleSubmission
from reviewapp.annotations.decide.services import decide_locked
from reviewapp.annotations.decide.statements import lock_annotation
from reviewapp.annotations.decide.submission import Submission
from reviewapp.annotations.fields import BLANK_VALUES, FIELDS, PERSONAL_FIELDS
from reviewapp.annotations.models import Annotation, Decision, Revert, RevertedDecision
from reviewapp.annotations.reverts.plan import (
    SKIPPING,
    Effect,
    Plan,
    plan_reinstatement,
    plan_restoration,
    plan_revert,
)
from reviewapp.annotations.value_authorship import given_by_people
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import acting, tracing
from reviewapp.json_values import is_same_json
from reviewapp.outbox import services as outbox
from reviewapp.outbox.models import Change
from reviewapp.outbox.wake_worker import queue_wakeup

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.querysets import DecisionQuerySet

PERMISSION = "outbox.manage_change"
MAX_DECISIONS = 10_000
_TASK = "annotations.revert"
# How many decisions are read at a time: with their annotations they may hold megabytes each.
_READ_AT_ONCE = 100
# After so many items the actor's rights are looked at again.
_AT_ONCE = 20
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What reverting decisions would do now.

    `keys` are those of all decisions, the newest first, `counts` how often each effect comes, and
    `newest` the first decisions with their plans.
    """

    keys: list[int]
    counts: Counter[Effect]
    newest: list[tuple[Decision, Plan]]

    @property
    def is_too_many(self) -> bool:
        """Whether these are more than one revert may have."""
        return len(self.keys) > MAX_DECISIONS

    @property
    def possible(self) -> int:
        """How many of the decisions would be reverted."""
        return sum(number for effect, number in self.counts.items() if effect not in SKIPPING)

    @property
    def digest(self) -> str:
        """A text that is the same for the same decisions in the same order."""
        return hashlib.sha256(",".join(map(str, self.keys)).encode()).hexdigest()


def preview(decisions: DecisionQuerySet, *, listed: int) -> Preview:
    """Return what reverting these decisions would do now; `newest` has `listed` at most.

    Their values are read a few at a time, since 10,000 decisions may hold gigabytes.
    """
    newest_first = decisions.order_by("-pk").values_list("pk", flat=True)
    keys = list(newest_first[: MAX_DECISIONS + 1])
    counts: Counter[Effect] = Counter()
    newest: list[tuple[Decision, Plan]] = []
    for start_at in range(0, min(len(keys), MAX_DECISIONS), _READ_AT_ONCE):
        plans = _plan_reverts(keys[start_at : start_at + _READ_AT_ONCE])
        counts.update(plan.effect for _decision, plan in plans)
        newest += plans[: listed - len(newest)]
    return Preview(keys=keys, counts=counts, newest=newest)


def _plan_reverts(keys: Sequence[int]) -> list[tuple[Decision, Plan]]:
    """Return these decisions, the newest first, each with its annotation and its plan."""
    with_values = Decision.objects.select_related("annotation", "reviewer", "undo")
    without_words = with_values.defer("annotation__words", "annotation__search")
    decisions = list(without_words.filter(pk__in=keys).order_by("-pk"))
    by_cause = Change.objects.by_cause(decision.decision_id for decision in decisions)

    plans = []
    for decision in decisions:
        change = by_cause.get(decision.decision_id)
        plans.append((decision, plan_revert(decision, decision.annotation, change)))
    return plans


def start(
    keys: Iterable[int],
    *,
    reason: str,
    query: str,
    actor: User,
    reverts: Revert | None = None,
) -> Revert:
    """Record that these decisions are to be reverted, and wake a worker. Raises `PermissionDenied`.

    `query` is the filter they came from. With `reverts`, an earlier revert is reverted itself.
    """
    require_permission(actor)
    with acting(actor, note=reason):
        revert = Revert.objects.create(actor=actor, reason=reason, query=query, reverts=reverts)
        items = [RevertedDecision(revert=revert, decision_id=key) for key in keys]
        RevertedDecision.objects.bulk_create(items, batch_size=1000)
        transaction.on_commit(lambda: queue_wakeup(_TASK))
    return revert


def start_again(earlier: Revert, *, reason: str, actor: User) -> Revert:
    """Revert an earlier revert: all that it did. Raises `PermissionDenied`."""
    done = earlier.items.filter(state=RevertedDecision.State.DONE)
    keys = [item.replacement_id or item.decision_id for item in done]
    return start(keys, reason=reason, query=earlier.query, actor=actor, reverts=earlier)


def require_permission(actor: User) -> None:
    """Raise `PermissionDenied` unless this person may revert decisions of others."""
    if not (actor.is_active and actor.has_perm(PERMISSION)):
        raise PermissionDenied(_("Only leads and admins can revert decisions of others."))


def run_unfinished() -> None:
    """Go on with every revert that is not finished, the oldest first."""
    for revert in Revert.objects.filter(finished_at=None).order_by("pk"):
        run(revert)


def run(revert: Revert) -> None:
    """Revert what is left of one; it stops, and says so, when its person may no longer do it."""
    while True:
        # Read anew: rights may have been taken since.
        actor = get_user_model().objects.get(pk=revert.actor_id)
        try:
            require_permission(actor)
        except PermissionDenied:
            _finish(revert, stopped=_("%(name)s may no longer revert decisions.") % {"name": actor})
            return

        for _turn in range(_AT_ONCE):
            if not _revert_next(revert, actor):
                _finish(revert)
                return


def _finish(revert: Revert, *, stopped: str = "") -> None:
    """Mark a revert as finished, unless another worker still has an item of it."""
    waiting = revert.items.filter(state=RevertedDecision.State.WAITING)
    if waiting.exists() and not stopped:
        return
    with tracing(Origin.WEB, revert.request_id), acting(revert.actor, note=revert.reason):
        unfinished = Revert.objects.filter(pk=revert.pk, finished_at=None)
        unfinished.update(finished_at=timezone.now(), stopped=stopped)


def _revert_next(revert: Revert, actor: User) -> bool:
    """Revert one waiting item that no other worker has; returns whether there was one."""
    with tracing(Origin.WEB, revert.request_id), acting(actor, note=revert.reason):
        waiting = revert.items.filter(state=RevertedDecision.State.WAITING).order_by("pk")
        item = waiting.select_for_update(skip_locked=True).first()
        if item is None:
            return False

        try:
            with transaction.atomic():
                effect, replacement = _revert_item(revert, item, actor)
        except FieldsRefused as error:
            _settle(item, RevertedDecision.State.FAILED, problem=str(error))
        except StaleSubmission:
            _settle(item, RevertedDecision.State.SKIPPED, effect=Effect.CHANGED_SINCE)
        except (OperationalError, InterfaceError):
            # The database is away: the next sweep goes on here.
            raise
        except Exception:
            # One item must not keep the others from being reverted.
            _logger.exception("decision %s could not be reverted", item.decision_id)
            problem = _("An unexpected error occurred. The log of the worker says more.")
            _settle(item, RevertedDecision.State.FAILED, problem=problem)
        else:
            state = RevertedDecision.State.DONE
            if Plan(effect=effect).is_skipped:
                state = RevertedDecision.State.SKIPPED
            _settle(item, state, effect=effect, replacement=replacement)
    return True


def _settle(
    item: RevertedDecision,
    state: RevertedDecision.State,
    *,
    effect: str = "",
    problem: str = "",
    replacement: Decision | None = None,
) -> None:
    item.state = state
    item.effect = effect
    item.problem = problem
    item.replacement = replacement
    item.done_at = timezone.now()
    item.save(update_fields=["state", "effect", "problem", "replacement", "done_at"])


def _revert_item(
    revert: Revert,
    item: RevertedDecision,
    actor: User,
) -> tuple[Effect, Decision | None]:
    """Do what the plan says now; returns what it was, and the new decision if it made one."""
    decision = Decision.objects.get(pk=item.decision_id)
    annotation = undo.lock_with_decision(decision.annotation_id)
    change = Change.objects.filter(cause=decision.decision_id).first()

    if revert.reverts_id is not None and decision.taken_back:
        earlier = Decision.objects.before(decision).first()
        plan = plan_reinstatement(decision, annotation, earlier.pk if earlier else None)
    else:
        plan = plan_revert(decision, annotation, change)

    if plan.effect == Effect.REOPEN:
        undo.withdraw_or_revert_change(annotation, decision, actor)
        undo.revert_decision(annotation, decision, actor=actor)
    elif plan.effect == Effect.WITHDRAW and change is not None:
        reason = f"{actor.get_username()} reverted the decision"
        if outbox.withdraw_unsent(change, reason=reason):
            undo.revert_decision(annotation, decision, actor=actor)
        else:
            # A worker has just begun to send it.
            plan = plan_restoration(decision, annotation, change)

    if plan.effect not in {Effect.RESTORE, Effect.REINSTATE}:
        return plan.effect, None
    return plan.effect, _decide_anew(annotation, plan, actor)


def _decide_anew(annotation: Annotation, plan: Plan, actor: User) -> Decision:
    """Record a decision of the actor that sets the plan's values on a locked annotation."""
    given = set(plan.values)
    base = annotation.seen(given_by_people(annotation, annotation.changes))
    values: dict[str, Any] = annotation.values() | plan.values
    if plan.effect == Effect.REINSTATE:
        blank = {name for name in PERSONAL_FIELDS if is_same_json(values[name], BLANK_VALUES[name])}
        given -= blank

    submission = Submission(
        decision_id=uuid.uuid4(),
        base=base,
        base_version=annotation.version,
        given=frozenset(given),
        outcome=plan.outcome,
        **{name: values[name] for name in FIELDS},
    )
    return decide_locked(lock_annotation(annotation.pk), submission, actor=actor)


def answer(item_pk: int, text: str, *, actor: User) -> RevertedDecision:
    """Keep what the person whose decision was reverted says to it; a new answer replaces it.

    Raises `RevertedDecision.DoesNotExist` for somebody else's.
    """
    with acting(actor, note=text):
        items = RevertedDecision.objects.select_for_update(of=("self",))
        item = items.get(pk=item_pk, decision__reviewer=actor)
        item.answer = text
        item.answered_at = timezone.now()
        item.save(update_fields=["answer", "answered_at"])
    return item
