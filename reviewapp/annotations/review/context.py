"""Everything the review page shows of one item besides the form: evidence, company, history, progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from reviewapp.annotations.mirror import version_authors
from reviewapp.annotations.mirror.authorship import Made
from reviewapp.annotations.models import Annotation, Decision, Lease, SetAside
from reviewapp.annotations.queue.counts import done_and_left
from reviewapp.annotations.queue.filters import QueueFilter, Show
from reviewapp.annotations.queue.leases import LASTS
from reviewapp.annotations.queue.querysets import CAP
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

_MOST_RECENT = 10


@dataclass(frozen=True, kw_only=True)
class Item:
    """One annotation with what a person needs to judge it. `held_by` is "" while nobody else has it open.

    `execution` is the annotation's own, None while it is not here or none is named; `result` may be the document alone.
    `machine` holds what the machine proposed, {} for nothing; `could_not_tell`: this very person's "can't tell" stands.
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
    at_mixpeek: list[Made]
    could_not_tell: bool
    other_annotations: list[OtherAnnotation]
    other_results: list[OtherResult]

    @property
    def asked(self) -> dict[str, Any]:
        """What the retriever was asked with: the inputs, else Mixpeek's summary of them."""
        if self.execution is None:
            return {}
        summary = {"Query": self.execution.query_summary} if self.execution.query_summary else {}
        return self.execution.inputs or summary

    @property
    def execution_id(self) -> str:
        """Mixpeek's id of the execution that this belongs to, also of one that is not here; "" for none."""
        of_result = self.execution.execution_id if self.execution else None
        return self.annotation.execution_id or of_result or ""

    @property
    def ranked(self) -> Result | None:
        """The result whose rank and score are this item's; None where that of its own execution was not kept."""
        named = self.annotation.execution_id
        if self.result is None or not named:
            return self.result
        is_own = self.result.execution is not None and self.result.execution.execution_id == named
        return self.result if is_own else None

    @property
    def why_no_query(self) -> str:
        """Why it is not shown for which query this was judged; "" where it is shown, or no execution is named."""
        if self.asked or not self.annotation.execution_id:
            return ""
        if self.execution is None:
            return "not here yet; the next pull asks Mixpeek for it" if self.retriever else "not known"
        if self.execution.is_gone:
            return "Mixpeek no longer has this run: its query, rank and score are not known"
        return "none" if self.execution.requested_by else "Mixpeek does not tell with what this run was asked"

    @property
    def judged_for_others(self) -> list[OtherAnnotation]:
        """Decided annotations of the document for other queries, while this one waits for its own judgement."""
        if self.annotation.status != Annotation.Status.WAITING or self.execution is None:
            return []
        return [other for other in self.other_annotations if other.is_judged_for_another_query]

    @property
    def others(self) -> int:
        """How often else the document was found or annotated, as far as the page lists it."""
        return len(self.other_annotations) + len(self.other_results)

    @property
    def needs_a_person(self) -> bool:
        """Whether the last decision could not be delivered, so that somebody has to say what stands."""
        return self.change is not None and self.change.state in {Change.State.CONFLICT, Change.State.REFUSED}

    @property
    def merged(self) -> tuple[FieldDiff, ...]:
        """What somebody had changed at Mixpeek besides, and what therefore stays, when the last decision arrived."""
        return field_diffs(self.change.merged or {}) if self.change else ()

    @property
    def is_gone(self) -> bool:
        """Whether upstream has deleted the annotation, so that nothing is left to decide."""
        return self.annotation.status == Annotation.Status.GONE


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far this person is: decided in the last 24 hours, left under the filter; both stop at the cap."""

    done: int
    left: int
    cap: int
    waiting: bool

    def sentence(self) -> str:
        """Return what is left, as said after a decision."""
        if not self.left:
            return "Nothing left here."
        return f"{self.left:,}{'+' if self.left >= self.cap else ''} {'left' if self.waiting else 'in this list'}."


def load() -> QuerySet[Annotation]:
    """Return annotations with what the review page needs of their neighbours, and without what it does not show."""
    related = Annotation.objects.select_related(
        "retriever__label_set", "retriever__guidelines", "reviewer", "result__execution__retriever", "decision"
    )
    return related.defer("words", "search", "metadata")


def look_at(annotation: Annotation, person: User, *, lease: Lease | None, now: datetime, searched: str = "") -> Item:
    """Return the item as `person` sees it, with the words marked that were asked for, also in the queue's search."""
    result = annotation.result
    others = neighbours(annotation)
    execution = others.execution
    inputs = execution.inputs if execution else {}
    changes = annotation.changes
    held = lease is not None and lease.holder_id != person.pk and lease.until > now
    return Item(
        annotation=annotation,
        retriever=annotation.retriever,
        result=result,
        execution=execution,
        evidence=evidence(result.snapshot, query_words=query_words({**inputs, "": searched})) if result else None,
        lease=lease,
        held_by=lease.holder.get_username() if lease and held else "",
        aside=next(iter(_aside(annotation_id=annotation.pk, person_id=person.pk)), None),
        change=telling(changes, annotation.decision.decision_id if annotation.decision else None),
        history=timeline(annotation.ref),
        machine=machine_values(annotation, given_by_people(annotation, changes)),
        at_mixpeek=version_authors.versions(annotation, changes),
        could_not_tell=annotation.status == Annotation.Status.UNDECIDABLE and annotation.reviewer_id == person.pk,
        other_annotations=others.annotations,
        other_results=others.results,
    )


def telling(changes: Sequence[Change], standing: UUID | None) -> Change | None:
    """Return the change (of one ref, newest first) whose delivery is news: what is open or in trouble goes first.

    Then it is that of the decision that stands, whatever became of it, else the newest that nobody withdrew. Pure.
    """
    kept = [one for one in changes if one.state != Change.State.WITHDRAWN]
    unsettled = (one for one in kept if one.state != Change.State.DELIVERED)
    own = (one for one in changes if standing is not None and one.cause == standing)
    return next(chain(unsettled, own, kept), None)


@asked
def loaded(pk: int) -> QuerySet[Annotation]:
    """Return the annotation with this key as `load` has it, as a list of one or none."""
    return load().filter(pk=pk)


@asked
def _aside(annotation_id: int, person_id: int) -> QuerySet[SetAside]:
    return SetAside.objects.filter(annotation_id=annotation_id, person_id=person_id)


def progress(chosen: QueueFilter, person: User, *, now: datetime) -> Progress:
    """Return how far `person` is; each count reads no more than `CAP` rows of its index."""
    done, left = done_and_left(chosen, person, since=now - timedelta(days=1))
    return Progress(done=done, left=left, cap=CAP, waiting=chosen.show == Show.WAITING)


def recent(person: User) -> list[Decision]:
    """Return a person's last ten decisions, newest first, for the drawer."""
    return _recent(person_id=person.pk)


@asked
def _recent(person_id: int) -> QuerySet[Decision]:
    merged = Change.objects.filter(cause=OuterRef("decision_id"), merged__isnull=False)
    mine = Decision.objects.filter(reviewer_id=person_id).order_by("-id").select_related("annotation", "undo")
    shown = ("outcome", "label", "confidence", "created_at", "held_until", "undo__id", "annotation__status")
    named = mine.only(*shown, "annotation__title", "annotation__document_id")
    return named.annotate(merged=Exists(merged), set_aside_since=_set_aside_since(person_id))[:_MOST_RECENT]


def undoable(person: User, decisions: Sequence[Decision] | None = None) -> dict[str, Any]:
    """Return the last thing a person did, which Undo is about; `decisions` are their last ones, where they are known.

    That is `last_standing`, the newest decision that was not taken back, or the newer `last_aside`.
    """
    if decisions is None:
        decisions = _newest_standing(person_id=person.pk)
    standing = next((one for one in decisions if not one.taken_back), None)
    asides = _last_aside(person_id=person.pk) if getattr(standing, "set_aside_since", True) else []
    return {"last_standing": standing, "last_aside": next(iter(asides), None)}


@asked
def _newest_standing(person_id: int) -> QuerySet[Decision]:
    mine = Decision.objects.filter(reviewer_id=person_id, undo=None).order_by("-id").select_related("undo")
    shown = mine.only("outcome", "created_at", "held_until", "undo__id")
    return shown.annotate(set_aside_since=_set_aside_since(person_id))[:1]


def _set_aside_since(person_id: int) -> Exists:
    return Exists(SetAside.objects.filter(person_id=person_id, created_at__gte=OuterRef("created_at")))


@asked
def _last_aside(person_id: int) -> QuerySet[SetAside]:
    mine = SetAside.objects.filter(person_id=person_id).select_related("annotation").order_by("-created_at")
    return mine.only("kind", "created_at", "annotation__title", "annotation__document_id")[:1]


def minutes() -> int:
    """Return how long a lease lasts, in minutes."""
    return int(LASTS.total_seconds() // 60)
