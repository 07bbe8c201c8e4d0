"""One annotation with what a person needs to judge it: evidence, neighbours, history, delivery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils.translation import gettext as _

from reviewapp.annotations.mirror import version_authors
from reviewapp.annotations.mirror.authorship import UpstreamVersion
from reviewapp.annotations.mirror.from_upstream import CANNOT_TELL
from reviewapp.annotations.models import Annotation, Decision, Lease
from reviewapp.annotations.review.other_document import OtherDocument, build_other_document
from reviewapp.annotations.review.same_document import OtherAnnotation, OtherResult
from reviewapp.annotations.review.surroundings import Aside, Surroundings
from reviewapp.annotations.value_authorship import given_by_people, machine_values
from reviewapp.audit.presenters.diffs import FieldDiff, field_diffs
from reviewapp.audit.presenters.timeline import timeline
from reviewapp.outbox.models import Change
from reviewapp.retrievers.documents.evidence import Evidence, evidence
from reviewapp.retrievers.documents.highlight import query_words
from reviewapp.retrievers.documents.mentions import Mention
from reviewapp.retrievers.models import Execution, MissingDocument, Result, Retriever

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

# The page lists all others below the form.
_MAX_OTHER_LABELS = 3


@dataclass(frozen=True, kw_only=True)
class Item:
    """One annotation with what a person needs to judge it.

    `execution` is the annotation's own, None if it names none or that one is not here; `result`
    may be the document alone, and `result_execution_id` names its execution. `held_by` is who else
    has the item open, "" for nobody. `machine` holds what the machine proposed, {} for nothing.
    `could_not_tell`: this person's "can't tell" stands. `missing_document` is Mixpeek's last answer
    for a document that is not here, None if it was not requested yet. `other_documents` are those
    that the payload or the document names.
    """

    annotation: Annotation
    retriever: Retriever | None
    result: Result | None
    execution: Execution | None
    result_execution_id: str
    evidence: Evidence | None
    missing_document: MissingDocument | None
    lease: Lease | None
    held_by: str
    aside: Aside | None
    change: Change | None
    history: list[Any]
    machine: Mapping[str, Any]
    at_mixpeek: list[UpstreamVersion]
    could_not_tell: bool
    other_annotations: list[OtherAnnotation]
    other_results: list[OtherResult]
    other_documents: list[OtherDocument]

    @property
    def query(self) -> dict[str, Any]:
        """The query of the execution, {} where it is not known."""
        return self.execution.query if self.execution else {}

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
        if not execution_id or self.result_execution_id == execution_id:
            return self.result
        return None

    @property
    def why_no_query(self) -> str:
        """Why the page shows no query; "" where it shows one, or no execution is named."""
        if self.query or not self.annotation.execution_id:
            return ""
        if self.execution is None:
            if self.retriever:
                return _("Not pulled from Mixpeek yet")
            return _("Unknown")
        if self.execution.is_gone:
            return _("Unknown: Mixpeek no longer has this run")
        if self.execution.requested_by:
            return _("None")
        return _("Mixpeek does not say which inputs this run had")

    @property
    def judged_for_others(self) -> list[OtherAnnotation]:
        """Decided annotations of the document for other queries, while this one waits."""
        if self.annotation.status != Annotation.Status.WAITING or self.execution is None:
            return []
        return [other for other in self.other_annotations if other.is_judged_for_another_query]

    @property
    def other_labels(self) -> list[OtherAnnotation]:
        """The first labelled annotations of the document that `judged_for_others` does not name."""
        named = self.judged_for_others
        labelled = [other for other in self.other_annotations if other.label]
        return [other for other in labelled if other not in named][:_MAX_OTHER_LABELS]

    @property
    def others(self) -> int:
        """How many other annotations and results of the document the page lists."""
        return len(self.other_annotations) + len(self.other_results)

    @property
    def has_other_media(self) -> bool:
        """Whether another document is shown with media."""
        return any(other.evidence.media for other in self.other_documents)

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
        return _("Not sent to Mixpeek: this version could not send “can't tell” yet.")

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


def build_item(
    annotation: Annotation,
    surroundings: Surroundings,
    person: User,
    *,
    lease: Lease | None,
    now: datetime,
    mentions: Mapping[str, Sequence[Mention]],
    search_words: str = "",
) -> Item:
    """Return the item as `person` sees it.

    `mentions` are the places that hold the ids of the other documents in `surroundings`. The words
    of the query and of the queue's search (`search_words`) are marked in the evidence.
    """
    result = annotation.result
    execution = surroundings.execution
    changes = annotation.changes

    inputs = execution.inputs if execution else {}
    words = query_words({**inputs, "": search_words})
    snapshot = result.snapshot if result else None
    shown_evidence = None
    if snapshot is not None:
        shown_evidence = evidence(snapshot, query_words=words)

    other_documents = []
    for held in surroundings.other_documents:
        places = mentions[held.document_id]
        other_documents.append(build_other_document(held, places, snapshot, query_words=words))

    missing_document = None
    if result is None:
        missing = MissingDocument.objects.filter(document_id=annotation.document_id)
        missing_document = missing.first()

    decision_id = annotation.decision.decision_id if annotation.decision else None
    is_undecidable = annotation.status == Annotation.Status.UNDECIDABLE

    return Item(
        annotation=annotation,
        retriever=annotation.retriever,
        result=result,
        execution=execution,
        result_execution_id=surroundings.result_execution_id,
        evidence=shown_evidence,
        missing_document=missing_document,
        lease=lease,
        held_by=held_by(lease, person, now=now),
        aside=surroundings.aside,
        change=change_to_show(changes, decision_id),
        history=timeline(annotation.ref),
        machine=machine_values(annotation, given_by_people(annotation, changes)),
        at_mixpeek=version_authors.versions_with_authors(annotation, changes),
        could_not_tell=is_undecidable and annotation.reviewer_id == person.pk,
        other_annotations=surroundings.other_annotations,
        other_results=surroundings.other_results,
        other_documents=other_documents,
    )


def held_by(lease: Lease | None, person: User, *, now: datetime) -> str:
    """Return the name of who else than `person` has the item open, "" for nobody."""
    if lease is None or lease.holder_id == person.pk or lease.until <= now:
        return ""
    return lease.holder.get_username()


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
