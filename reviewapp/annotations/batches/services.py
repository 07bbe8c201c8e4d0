"""Decide many items in the background, as `item_jobs` runs them: one decision for each.

Nothing is decided that was not shown: an item that has changed since, or that somebody else has
open, is skipped. What a batch did is undone by a revert of its decisions.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.annotations import item_jobs
from reviewapp.annotations.batches.fingerprints import fingerprint, is_other_decision, write_entries
from reviewapp.annotations.batches.plan import DECIDING, BatchEffect, BatchPlan, plan_decision
from reviewapp.annotations.decide.exceptions import FieldsRefused
from reviewapp.annotations.decide.services import (
    decide_locked,
    require_accepted,
    require_decide_permission,
)
from reviewapp.annotations.decide.statements import lock_annotation
from reviewapp.annotations.decide.submission import Submission
from reviewapp.annotations.decide.undo import lock_with_decision
from reviewapp.annotations.fields import BLANK_VALUES, PERSONAL_FIELDS
from reviewapp.annotations.item_jobs import ItemResult, JobKind
from reviewapp.annotations.label_use import is_new_label
from reviewapp.annotations.models import Annotation, Batch, BatchItem, Lease, Revert
from reviewapp.annotations.reverts import services as reverts
from reviewapp.annotations.value_authorship import given_by_people
from reviewapp.audit.context import acting
from reviewapp.json_values import is_same_json
from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.priority import bulk_priority
from reviewapp.outbox.wake_worker import queue_wakeup

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

MAX_ITEMS = 1_000
_TASK = "annotations.decide_batch"
# How many items are read at a time: they may hold a quarter of a megabyte each.
_READ_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class BatchValues:
    """What a batch gives each item; a blank label leaves each its own."""

    label: str = ""
    confidence: float | None = None
    reasoning: str = ""

    def given_fields(self) -> frozenset[str]:
        """Return the personal fields that the person gave."""
        values = {"confidence": self.confidence, "reasoning": self.reasoning}
        filled_in = set()
        for name in PERSONAL_FIELDS:
            if not is_same_json(values[name], BLANK_VALUES[name]):
                filled_in.add(name)
        return frozenset(filled_in)


@dataclass(frozen=True, kw_only=True)
class PreviewRow:
    """One item of a preview as its row shows it; `fingerprint` stands for that."""

    pk: int
    title: str
    excerpt: str
    document_id: str
    retriever: str
    label: str
    confidence: float | None
    status: str
    reviewer: str
    fingerprint: str
    plan: BatchPlan


@dataclass(frozen=True, kw_only=True)
class BatchPreview:
    """What a batch would do now: all its rows, and how often each effect comes.

    `offered` are the labels of the retrievers' label sets. `new_label` is one that nobody has used
    for a retriever among them, "" for none.
    """

    rows: list[PreviewRow]
    counts: Counter[BatchEffect]
    offered: list[str]
    new_label: str

    @property
    def possible(self) -> int:
        """How many of the items would be decided."""
        return sum(self.counts[effect] for effect in DECIDING)

    @property
    def entries(self) -> str:
        """What was shown of each item, for the form (`fingerprints.read_entries`)."""
        return write_entries({row.pk: row.fingerprint for row in self.rows})


def preview(keys: Sequence[int], values: BatchValues, *, actor: User) -> BatchPreview:
    """Return what giving these items the values would do now, in the order of their keys.

    They are read a few at a time, since 1,000 items may hold a quarter of a gigabyte.
    """
    rows: list[PreviewRow] = []
    offered: dict[str, None] = {}
    new_label = ""
    checked: set[int | None] = set()
    for start_at in range(0, len(keys), _READ_AT_ONCE):
        for annotation, plan in _plan_items(
            keys[start_at : start_at + _READ_AT_ONCE], values, actor
        ):
            rows.append(_build_row(annotation, plan))
            if annotation.label_set is not None:
                offered |= dict.fromkeys(annotation.label_set.values())

            # Once for each retriever: whether a label is new does not depend on the item.
            if plan.effect == BatchEffect.RELABEL and annotation.retriever_id not in checked:
                checked.add(annotation.retriever_id)
                if is_new_label(annotation, plan.label):
                    new_label = plan.label
    return BatchPreview(
        rows=rows,
        counts=Counter(row.plan.effect for row in rows),
        offered=list(offered),
        new_label=new_label,
    )


def _plan_items(
    keys: Sequence[int], values: BatchValues, actor: User
) -> list[tuple[Annotation, BatchPlan]]:
    """Return these items in their order, each with its plan; without those that do not exist."""
    related = Annotation.objects.select_related("retriever__label_set", "reviewer")
    by_key = related.defer("words", "search").in_bulk(keys)
    holders = _holders(keys, actor)
    changes = Change.objects.by_ref(annotation.ref for annotation in by_key.values())

    planned = []
    for key in keys:
        annotation = by_key.get(key)
        if annotation is not None:
            about = changes.get(annotation.ref, [])
            plan = _plan(annotation, values, about, holder=holders.get(key, ""))
            planned.append((annotation, plan))
    return planned


def _build_row(annotation: Annotation, plan: BatchPlan) -> PreviewRow:
    return PreviewRow(
        pk=annotation.pk,
        title=annotation.title or annotation.document_id,
        excerpt=annotation.excerpt,
        document_id=annotation.document_id,
        retriever=annotation.retriever.name if annotation.retriever else "",
        label=annotation.label,
        confidence=annotation.confidence,
        status=annotation.status,
        reviewer=annotation.reviewer.get_username() if annotation.reviewer else "",
        fingerprint=fingerprint(annotation),
        plan=plan,
    )


def _holders(keys: Sequence[int], actor: User) -> dict[int, str]:
    """Return who else has which of these items open."""
    leases = Lease.objects.filter(
        annotation__in=keys, until__gt=timezone.now(), is_prefetched=False
    )
    others = leases.exclude(holder=actor)
    return dict(others.values_list("annotation_id", "holder__username"))


def _plan(
    annotation: Annotation, values: BatchValues, changes: Sequence[Change], *, holder: str
) -> BatchPlan:
    """Return what happens to an item, with what its retriever's labels refuse."""
    plan = plan_decision(annotation, values.label, holder=holder)
    if plan.is_skipped:
        return plan

    submission = _build_submission(annotation, values, changes)
    try:
        label = require_accepted(annotation, submission)
    except FieldsRefused as error:
        return BatchPlan(effect=BatchEffect.REFUSED, problem=str(error))
    return plan_decision(annotation, label, holder=holder)


def _build_submission(
    annotation: Annotation, values: BatchValues, changes: Sequence[Change], *, hold: int = 0
) -> Submission:
    """Return what the person submits for one item: as a form of it that they filled in."""
    return Submission(
        decision_id=uuid.uuid4(),
        base=annotation.seen(given_by_people(annotation, changes)),
        base_version=annotation.version,
        given=values.given_fields(),
        is_whole=True,
        result_id=annotation.result_id,
        hold=hold,
        label=values.label or annotation.label,
        confidence=values.confidence,
        reasoning=values.reasoning,
        payload=annotation.payload,
    )


def start(entries: Mapping[int, str], values: BatchValues, *, query: str, actor: User) -> Batch:
    """Record that these items are to be decided, and wake a worker. Raises `PermissionDenied`.

    `entries` tell what was shown of each, by key; `query` is the filter they came from.
    """
    require_decide_permission(actor)
    with acting(actor):
        batch = Batch.objects.create(
            actor=actor,
            label=values.label,
            confidence=values.confidence,
            reasoning=values.reasoning,
            query=query,
        )
        known = set(Annotation.objects.filter(pk__in=entries).values_list("pk", flat=True))
        items = []
        for key, entry in entries.items():
            if key in known:
                items.append(BatchItem(batch=batch, annotation_id=key, shown=entry))
        BatchItem.objects.bulk_create(items, batch_size=1000)
        transaction.on_commit(lambda: queue_wakeup(_TASK))
    return batch


def undo(batch: Batch, *, actor: User) -> Revert:
    """Revert all that a finished batch has decided, or return the revert that already does.

    Raises `PermissionDenied`.
    """
    earlier = batch.reverts.order_by("pk").first()
    if earlier is not None:
        return earlier

    keys = batch.items.filter(state=BatchItem.State.DONE).values_list("decision_id", flat=True)
    reason = _("Undid the batch %(number)s") % {"number": batch.pk}
    return reverts.start(list(keys), reason=reason, query=batch.query, actor=actor, batch=batch)


def run_unfinished() -> None:
    """Go on with every batch that is not finished, the oldest first."""
    item_jobs.run_unfinished(_KIND)


def run(batch: Batch) -> None:
    """Decide what is left of one; it stops, and says so, when its person may no longer decide."""
    item_jobs.run(_KIND, batch)


def _decide_item(batch: Batch, item: BatchItem, actor: User) -> ItemResult:
    """Decide an item if it is as it was shown and nobody else has it open."""
    annotation = lock_with_decision(item.annotation_id)
    values = BatchValues(label=batch.label, confidence=batch.confidence, reasoning=batch.reasoning)
    holder = _holders([annotation.pk], actor).get(annotation.pk, "")
    plan = plan_decision(annotation, values.label, holder=holder)
    now = fingerprint(annotation)
    if plan.effect != BatchEffect.GONE and now != item.shown:
        effect = BatchEffect.CHANGED_SINCE
        if is_other_decision(now, item.shown):
            effect = BatchEffect.DECIDED_SINCE
        return ItemResult(effect=effect, is_skipped=True)
    if plan.is_skipped:
        return ItemResult(effect=plan.effect, is_skipped=True, problem=plan.problem)

    submission = _build_submission(annotation, values, annotation.changes, hold=actor.hold)
    with bulk_priority():
        decision = decide_locked(lock_annotation(annotation.pk), submission, actor=actor)
    effect = BatchEffect.CONFIRM
    if not is_same_json(decision.label, annotation.label):
        effect = BatchEffect.RELABEL
    return ItemResult(effect=effect, is_skipped=False, decision=decision)


_KIND = JobKind(
    model=Batch,
    decision_field="decision",
    require_permission=lambda _batch, actor: require_decide_permission(actor),
    run_item=_decide_item,
    stopped=gettext_lazy("%(name)s may no longer decide."),
)
