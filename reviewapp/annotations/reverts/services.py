"""Revert decisions in the background, as `item_jobs` runs them.

An item of two reverts is reverted by the first.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.annotations import item_jobs
from reviewapp.annotations.decide import undo
from reviewapp.annotations.decide.services import decide_locked, require_decide_permission
from reviewapp.annotations.decide.statements import lock_annotation
from reviewapp.annotations.decide.submission import Submission
from reviewapp.annotations.fields import BLANK_VALUES, FIELDS, PERSONAL_FIELDS
from reviewapp.annotations.item_jobs import ItemResult, JobKind
from reviewapp.annotations.models import Annotation, Batch, Decision, Revert, RevertedDecision
from reviewapp.annotations.reverts.plan import (
    SKIPPING,
    Effect,
    Plan,
    plan_reinstatement,
    plan_restoration,
    plan_revert,
)
from reviewapp.annotations.value_authorship import given_by_people
from reviewapp.audit.context import acting
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
    batch: Batch | None = None,
) -> Revert:
    """Record that these decisions are to be reverted, and wake a worker. Raises `PermissionDenied`.

    `query` is the filter they came from. With `reverts`, an earlier revert is reverted itself; with
    `batch`, they are those of a batch that is undone.
    """
    require_permission(batch, actor)
    with acting(actor, note=reason):
        revert = Revert.objects.create(
            actor=actor, reason=reason, query=query, reverts=reverts, batch=batch
        )
        items = [RevertedDecision(revert=revert, decision_id=key) for key in keys]
        RevertedDecision.objects.bulk_create(items, batch_size=1000)
        transaction.on_commit(lambda: queue_wakeup(_TASK))
    return revert


def start_again(earlier: Revert, *, reason: str, actor: User) -> Revert:
    """Revert an earlier revert: all that it did. Raises `PermissionDenied`."""
    done = earlier.items.filter(state=RevertedDecision.State.DONE)
    keys = [item.replacement_id or item.decision_id for item in done]
    return start(
        keys,
        reason=reason,
        query=earlier.query,
        actor=actor,
        reverts=earlier,
        batch=earlier.batch,
    )


def require_permission(batch: Batch | None, actor: User) -> None:
    """Raise `PermissionDenied` unless this person may revert decisions of others.

    Whoever may decide may undo a `batch` of their own.
    """
    if batch is not None and batch.actor_id == actor.pk:
        require_decide_permission(actor)
        return
    if not (actor.is_active and actor.has_perm(PERMISSION)):
        raise PermissionDenied(_("Only leads and admins can revert decisions of others."))


def run_unfinished() -> None:
    """Go on with every revert that is not finished, the oldest first."""
    item_jobs.run_unfinished(_KIND)


def run(revert: Revert) -> None:
    """Revert what is left of one; it stops, and says so, when its person may no longer do it."""
    item_jobs.run(_KIND, revert)


def _revert_item(
    revert: Revert,
    item: RevertedDecision,
    actor: User,
) -> ItemResult:
    """Do what the plan says now."""
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

    replacement = None
    if plan.effect in {Effect.RESTORE, Effect.REINSTATE}:
        replacement = _decide_anew(annotation, plan, actor)
    return ItemResult(effect=plan.effect, is_skipped=plan.is_skipped, decision=replacement)


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


_KIND = JobKind(
    model=Revert,
    decision_field="replacement",
    require_permission=lambda revert, actor: require_permission(revert.batch, actor),
    run_item=_revert_item,
    stopped=gettext_lazy("%(name)s may no longer revert decisions."),
)
