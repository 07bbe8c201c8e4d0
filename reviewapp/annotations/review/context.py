"""The review page's context, besides the form: evidence, neighbours, history, progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from reviewapp.annotations.mirror import version_authors
from reviewapp.annotations.mirror.authorship import UpstreamVersion
from reviewapp.annotations.mirror.from_upstream import CANNOT_TELL
from reviewapp.annotations.models import Annotation, Decision, Lease, SetAside
from reviewapp.annotations.queue.counts import done_and_left
from reviewapp.annotations.queue.filters import QueueFilter, Show
from reviewapp.annotations.queue.leases import LEASE_DURATION
from reviewapp.annotations.queue.querysets import MAX_QUEUE_COUNT
from reviewapp.annotations.review.same_document import OtherAnnotation, OtherResult, neighbours
from reviewapp.annotations.value_authorship import given_by_people, machine_values
from reviewapp.asked import asked
from reviewapp.audit.presenters.diffs import FieldDiff, field_diffs
from reviewapp.audit.presenters.timeline import timeline
from reviewapp.outbox.models import Change
from reviewapp.retrievers.documents.evidence import Evidence, evidence
from reviewapp.retrievers.documents.highlight import query_words
from reviewapp.retrievers.models import Execution, Result, Retriever

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

_RECENT_DECISIONS = 10


@dataclass(frozen=True, kw_only=True)
class Item:
    """One annotation with what a person needs to judge it.

    `execution` is the annotation's own, None if it names none or that one is not here; `result`
    may be the document alone. `held_by` is who else has it open, "" for nobody. `machine` holds
    what the machine proposed, {} for nothing. `could_not_tell`: this person's "can't tell" stands.
    """

    annotation: Annotation
    retriever: Retriever | None
    result: Result | None
    execution: Execution | None
    evidence: Evidence | None
    lease: Lease | None
    held_by: str
    aside: SetAside | None
    change: Change | None
    history: list[Any]
    machine: Mapping[str, Any]
    at_mixpeek: list[UpstreamVersion]
    could_not_tell: bool
    other_annotations: list[OtherAnnotation]
    other_results: list[OtherResult]

    @property
    def query(self) -> dict[str, Any]:
        """The inputs of the execution, else Mixpeek's summary of them."""
        if self.execution is None:
            return {}
        inputs: dict[str, Any] = self.execution.inputs
        if inputs:
            return inputs
        if self.execution.query_summary:
            return {"Query": self.execution.query_summary}
        return {}

    @property
    def execution_id(self) -> str:
        """Mixpeek's id of the execution, also of one that is not here; "" for none."""
        if self.annotation.execution_id:
            return self.annotation.execution_id
        if self.execution is None:
            return ""
        return self.execution.execution_id or ""

    @property
    def ranked(self) -> Result | None:
        """The result with this item's rank and score; None if that of its execution is missing."""
        execution_id = self.annotation.execution_id
        if self.result is None or not execution_id:
            return self.result
        execution = self.result.execution
        if execution is not None and execution.execution_id == execution_id:
            return self.result
        return None

    @property
    def why_no_query(self) -> str:
        """Why the page shows no query; "" where it shows one, or no execution is named."""
        if self.query or not self.annotation.execution_id:
            return ""
        if self.execution is None:
            if self.retriever:
                return "not here yet; the next pull asks Mixpeek for it"
            return "not known"
        if self.execution.is_gone:
            return "Mixpeek no longer has this run: its query, rank and score are not known"
        if self.execution.requested_by:
            return "none"
        return "Mixpeek does not tell with what this run was asked"

    @property
    def judged_for_others(self) -> list[OtherAnnotation]:
        """Decided annotations of the document for other queries, while this one waits."""
        if self.annotation.status != Annotation.Status.WAITING or self.execution is None:
            return []
        return [other for other in self.other_annotations if other.is_judged_for_another_query]

    @property
    def others(self) -> int:
        """How many other annotations and results of the document the page lists."""
        return len(self.other_annotations) + len(self.other_results)

    @property
    def needs_a_person(self) -> bool:
        """Whether the last decision is in conflict or was refused."""
        if self.change is None:
            return False
        return self.change.state in {Change.State.CONFLICT, Change.State.REFUSED}

    @property
    def why_not_told(self) -> str:
        """Why Mixpeek was not told of the standing "can't tell"; "" if it was, or is to be."""
        decision = self.annotation.decision
        if decision is None or decision.outcome != Decision.Outcome.UNDECIDABLE:
            return ""
        for change in self.annotation.changes:
            if change.cause == decision.decision_id:
                return change.why if change.state == Change.State.WITHDRAWN else ""
        return "Not sent: it was decided before “can't tell” was told to Mixpeek."

    @property
    def undecidable_elsewhere(self) -> UpstreamVersion | None:
        """The version by which another installation says "can't tell", if that is what stands."""
        is_undecidable = self.annotation.status == Annotation.Status.UNDECIDABLE
        if not is_undecidable or self.annotation.decision is not None:
            return None
        for version in self.at_mixpeek:
            if version.outcome == CANNOT_TELL:
                return version
        return None

    @property
    def merged(self) -> tuple[FieldDiff, ...]:
        """The other fields that somebody changed at Mixpeek before the last delivery; they stay."""
        if self.change is None:
            return ()
        return field_diffs(self.change.merged or {})

    @property
    def is_gone(self) -> bool:
        """Whether upstream has deleted the annotation, so that there is nothing to decide."""
        return self.annotation.status == Annotation.Status.GONE


@dataclass(frozen=True, kw_only=True)
class ReviewProgress:
    """How many items a person decided in the last 24 hours, and how many the filter has left.

    Both counts stop at `cap`. `waiting`: the filter shows waiting items.
    """

    done: int
    left: int
    cap: int
    waiting: bool

    def sentence(self) -> str:
        """Return what is left, as the message after a decision says it."""
        if not self.left:
            return "Nothing left here."
        plus = "+" if self.left >= self.cap else ""
        where = "left" if self.waiting else "in this list"
        return f"{self.left:,}{plus} {where}."


def with_neighbours() -> QuerySet[Annotation]:
    """Return annotations with what the review page reads of their neighbours.

    What it does not show is deferred.
    """
    related = Annotation.objects.select_related(
        "retriever__label_set",
        "retriever__guidelines",
        "reviewer",
        "result__execution__retriever",
        "decision",
    )
    return related.defer("words", "search", "metadata")


def build_item(
    annotation: Annotation,
    person: User,
    *,
    lease: Lease | None,
    now: datetime,
    search_words: str = "",
) -> Item:
    """Return the item as `person` sees it.

    The words of the query and of the queue's search (`search_words`) are marked in the evidence.
    """
    result = annotation.result
    neighbourhood = neighbours(annotation)
    execution = neighbourhood.execution
    inputs = execution.inputs if execution else {}
    changes = annotation.changes

    held_by = ""
    if lease and lease.holder_id != person.pk and lease.until > now:
        held_by = lease.holder.get_username()

    shown_evidence = None
    if result:
        words = query_words({**inputs, "": search_words})
        shown_evidence = evidence(result.snapshot, query_words=words)

    asides = _aside(annotation_id=annotation.pk, person_id=person.pk)
    aside = next(iter(asides), None)
    decision_id = annotation.decision.decision_id if annotation.decision else None
    is_undecidable = annotation.status == Annotation.Status.UNDECIDABLE

    return Item(
        annotation=annotation,
        retriever=annotation.retriever,
        result=result,
        execution=execution,
        evidence=shown_evidence,
        lease=lease,
        held_by=held_by,
        aside=aside,
        change=change_to_show(changes, decision_id),
        history=timeline(annotation.ref),
        machine=machine_values(annotation, given_by_people(annotation, changes)),
        at_mixpeek=version_authors.versions_with_authors(annotation, changes),
        could_not_tell=is_undecidable and annotation.reviewer_id == person.pk,
        other_annotations=neighbourhood.annotations,
        other_results=neighbourhood.results,
    )


def change_to_show(changes: Sequence[Change], decision_id: UUID | None) -> Change | None:
    """Return the change whose delivery state the page shows. Pure.

    `changes` are those of one ref, newest first; `decision_id` is that of the standing decision.
    First the newest one that is open, in conflict or refused; then the standing decision's own,
    whatever its state; then the newest one that was not withdrawn.
    """
    not_withdrawn = [change for change in changes if change.state != Change.State.WITHDRAWN]
    for change in not_withdrawn:
        if change.state != Change.State.DELIVERED:
            return change

    if decision_id is not None:
        for change in changes:
            if change.cause == decision_id:
                return change

    if not_withdrawn:
        return not_withdrawn[0]
    return None


@asked
def get_for_review(pk: int) -> QuerySet[Annotation]:
    """Return the annotation with this key and its neighbours, as a list of one or none."""
    return with_neighbours().filter(pk=pk)


@asked
def _aside(annotation_id: int, person_id: int) -> QuerySet[SetAside]:
    return SetAside.objects.filter(annotation_id=annotation_id, person_id=person_id)


def get_progress(queue_filter: QueueFilter, person: User, *, now: datetime) -> ReviewProgress:
    """Return how far `person` is; each count reads at most `MAX_QUEUE_COUNT` rows of its index."""
    since = now - timedelta(days=1)
    done, left = done_and_left(queue_filter, person, since=since)
    return ReviewProgress(
        done=done, left=left, cap=MAX_QUEUE_COUNT, waiting=queue_filter.show == Show.WAITING
    )


def recent_decisions(person: User) -> list[Decision]:
    """Return a person's last ten decisions, newest first, for the drawer."""
    return _recent(person_id=person.pk)


@asked
def _recent(person_id: int) -> QuerySet[Decision]:
    merged = Change.objects.filter(cause=OuterRef("decision_id"), merged__isnull=False)
    decisions = Decision.objects.by(person_id)
    columns = decisions.select_related("annotation", "undo").only(
        "outcome",
        "label",
        "confidence",
        "created_at",
        "held_until",
        "undo__id",
        "annotation__status",
        "annotation__title",
        "annotation__document_id",
    )
    annotated = columns.annotate(merged=Exists(merged), set_aside_since=_set_aside_since(person_id))
    return annotated[:_RECENT_DECISIONS]


def last_actions(person: User, decisions: Sequence[Decision] | None = None) -> dict[str, Any]:
    """Return what the Undo button is about: a person's last decision, or a later skip or deferral.

    `last_standing` is the newest decision that was not taken back; `last_aside` is looked up only
    if it may be newer. `decisions` are the person's last ones, newest first, where known.
    """
    if decisions is None:
        decisions = _newest_standing(person_id=person.pk)

    last_standing = None
    for decision in decisions:
        if not decision.taken_back:
            last_standing = decision
            break

    last_aside = None
    if getattr(last_standing, "set_aside_since", True):
        last_aside = next(iter(_last_aside(person_id=person.pk)), None)
    return {"last_standing": last_standing, "last_aside": last_aside}


@asked
def _newest_standing(person_id: int) -> QuerySet[Decision]:
    decisions = Decision.objects.filter(reviewer_id=person_id, undo=None).order_by("-id")
    columns = decisions.select_related("undo").only(
        "outcome",
        "created_at",
        "held_until",
        "undo__id",
    )
    return columns.annotate(set_aside_since=_set_aside_since(person_id))[:1]


def _set_aside_since(person_id: int) -> Exists:
    asides = SetAside.objects.filter(person_id=person_id, created_at__gte=OuterRef("created_at"))
    return Exists(asides)


@asked
def _last_aside(person_id: int) -> QuerySet[SetAside]:
    asides = SetAside.objects.filter(person_id=person_id).select_related("annotation")
    newest_first = asides.order_by("-created_at")
    columns = newest_first.only(
        "kind",
        "created_at",
        "annotation__title",
        "annotation__document_id",
    )
    return columns[:1]


def lease_minutes() -> int:
    """Return how long a lease lasts, in minutes."""
    return int(LEASE_DURATION.total_seconds() // 60)
