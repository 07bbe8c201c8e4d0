"""What people do with annotations. One verb, one function, however many doors lead to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import EllipsisType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.utils import timezone
from psycopg.errors import UniqueViolation

from reviewapp.annotations.absorb import rebase
from reviewapp.annotations.models import Annotation, Decision, Undo
from reviewapp.annotations.recording import record
from reviewapp.annotations.said import BLANK
from reviewapp.annotations.standing import beside, in_trouble, locked, made, shown
from reviewapp.audit.trace import acting
from reviewapp.outbox import services as outbox
from reviewapp.outbox.merge import Merge, same, three_way
from reviewapp.outbox.models import Change

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


class Gone(Exception):
    """The annotation no longer exists upstream: there is nothing to decide; go on to the next."""


class DecisionIdTaken(Exception):
    """This decision id was used for something else: render the form anew, which makes a fresh one."""


class OfAnotherItem(DecisionIdTaken):
    """The decision with this id is about another item or of another person: the form is damaged."""


class TakenBack(DecisionIdTaken):
    """The decision with this id was taken back, and a late copy of its form does not bring it back."""


class LabelNotOffered(Exception):
    """The retriever's label set allows only the labels in it (`offered`), and `label` is not one of them."""

    def __init__(self, label: str, offered: list[str]) -> None:
        super().__init__(f"“{label}” is not among the labels of this retriever: {', '.join(offered)}.")
        self.label, self.offered = label, offered


class Stale(Exception):
    """Somebody settled the item since the form was rendered, and differently: show base, mine and theirs.

    `conflicts` names the fields in question (`outcome` when only the outcome is), `merged` is mine with everything
    that only they touched; `only_mine` and `only_theirs` are the fields that so need no asking (`overtaking.py` says
    who settled it).
    """

    def __init__(
        self, annotation: Annotation, *, base: dict[str, Any], mine: dict[str, Any], merge: Merge, conflicts: list[str]
    ) -> None:
        super().__init__(f"{annotation.ref} was changed meanwhile: {', '.join(conflicts)}")
        self.annotation, self.base, self.mine, self.conflicts = annotation, base, mine, conflicts
        self.theirs = _theirs(annotation, mine)
        self.merged = merge.values
        self.only_mine = [name for name in merge.mine_only if name not in conflicts]
        self.only_theirs = [name for name in merge.theirs_only if name not in conflicts]


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What a person submits: the four values, the base they saw, the evidence, and how long it took (seconds).

    `base` is `Annotation.seen()` as it was rendered. `decision_id` is made with the form; the same id sent again is
    the same decision. For `hold` seconds it can be taken back, and is not sent. `draft` is the edition of the draft
    that ends with it. `metadata` is for scripts: an object, None to clear it, `...` to leave it as it is.
    """

    decision_id: UUID
    label: str
    confidence: float | None = None
    reasoning: str = ""
    payload: dict[str, Any]
    base: dict[str, Any]
    base_version: int | None = None
    outcome: Decision.Outcome = Decision.Outcome.DECIDED
    result_id: int | None = None
    seconds: float | None = None
    hold: int = 0
    draft: UUID | None = None
    metadata: dict[str, Any] | EllipsisType | None = ...

    def values(self) -> dict[str, Any]:
        """Return the four values, and the metadata when it is to be set."""
        values = {
            "label": self.label,
            "confidence": self.confidence,
            "reasoning": self.reasoning,
            "payload": self.payload,
        }
        return values if self.metadata is ... else values | {"metadata": self.metadata}


def decide(annotation_id: int, submission: Submission, *, actor: User) -> Decision:
    """Record a person's decision, update the annotation, and promise the difference to Mixpeek; all or nothing.

    Raises `PermissionDenied`, `Annotation.DoesNotExist`, `Gone`, `DecisionIdTaken`, `LabelNotOffered`, and `Stale`
    when somebody settled the item differently since. The same decision id again returns the decision it made.
    """
    may_decide(actor)
    # Why it cannot be told is on no annotation; the history has it.
    why = submission.reasoning if submission.outcome == Decision.Outcome.UNDECIDABLE else ""
    with acting(actor, note=why):
        return decide_on(locked(annotation_id), submission, actor=actor)


def decide_on(annotation: Annotation, submission: Submission, *, actor: User) -> Decision:
    """Do what `decide` does with an annotation that the caller has locked while `acting` as the actor.

    Whatever it raises, the caller's transaction must be rolled back; the annotation is then as it stands afterwards.
    """
    may_decide(actor)
    seen, in_the_way = beside(annotation.ref, submission.decision_id)
    if seen:
        return _replayed(made(decision_id=submission.decision_id)[0], annotation, actor)
    if annotation.status == Annotation.Status.GONE:
        raise Gone(annotation.ref)
    values = _settled_values(annotation, submission)
    _raise_if_not_offered(annotation, submission, values["label"])
    before = _theirs(annotation, values)
    cleared = _replaced(annotation, actor) if in_the_way else {}
    decision = _made(annotation, submission, values, actor, cleared)
    with _once(submission):
        record(decision, values, draft=submission.draft)
        _promise(annotation, decision, before, values)
    return decision


def take_theirs(change: Change, *, actor: User) -> bool:
    """Give up what conflicted or was refused: upstream's values stand. Returns False when it was settled before."""
    may_decide(actor)
    with acting(actor, note="took Mixpeek's values"):
        annotation = Annotation.objects.select_for_update().get(ref=change.ref)
        withdrawn = outbox.withdraw(change, reason=f"{actor.get_username()} took Mixpeek's values")
        if withdrawn:
            rebase(change.ref)
            _open_again_when_blank(annotation, actor)
    return withdrawn


def _open_again_when_blank(annotation: Annotation, actor: User) -> None:
    """Let an item wait again whose create was given up: its decisions never came to anything anywhere."""
    if annotation.annotation_id is not None or Change.objects.open_on(annotation.ref).exists():
        return
    for decision in Decision.objects.filter(annotation=annotation, undo=None):
        Undo.objects.create(decision=decision, actor=actor)
    annotation.decision = annotation.reviewer = annotation.decided_at = None
    annotation.status = Annotation.Status.WAITING
    annotation.save(update_fields=["decision", "reviewer", "decided_at", "status"])


def may_decide(actor: User) -> None:
    """Raise `PermissionDenied` unless this person may decide on annotations."""
    if not actor.has_perm("annotations.decide_annotation"):
        raise PermissionDenied("Deciding needs the role reviewer, lead or admin.")


@contextmanager
def _once(submission: Submission) -> Iterator[None]:
    """Raise `DecisionIdTaken` when the id is used, at this very moment, for another item or for another change.

    The transaction is over then: whoever opened it takes everything back.
    """
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            raise DecisionIdTaken(str(submission.decision_id)) from error
        raise


def _replayed(seen: Decision, annotation: Annotation, actor: User) -> Decision:
    if (seen.annotation_id, seen.reviewer_id) != (annotation.pk, actor.pk):
        raise OfAnotherItem(str(seen.decision_id))
    if Undo.objects.filter(decision=seen).exists():
        raise TakenBack(str(seen.decision_id))
    return seen


def _settled_values(annotation: Annotation, submission: Submission) -> dict[str, Any]:
    """Return the values the annotation is to have; raises `Stale` where two people said different things."""
    base, theirs = submission.base, _theirs(annotation, submission.values())
    settled_since = "decision" in base and base["decision"] != annotation.decision_id
    if submission.outcome == Decision.Outcome.UNDECIDABLE:
        mine = {name: base.get(name, value) for name, value in theirs.items()}
        merge = three_way(base=base, mine=mine, theirs=theirs)
        conflicts = ["outcome"] if settled_since and annotation.status == Annotation.Status.DECIDED else []
    else:
        mine = submission.values()
        merge = three_way(base=base, mine=mine, theirs=theirs, asserted={"label"})
        conflicts = [*(_unseen(annotation, mine, merge) if settled_since else ()), *merge.conflicts]
    if conflicts:
        raise Stale(annotation, base=base, mine=mine, merge=merge, conflicts=conflicts)
    return merge.values


def _raise_if_not_offered(annotation: Annotation, submission: Submission, label: str) -> None:
    offered = annotation.retriever.label_set if annotation.retriever else None
    if submission.outcome == Decision.Outcome.DECIDED and offered and not offered.allows(label):
        raise LabelNotOffered(label, offered.values())


def _unseen(annotation: Annotation, mine: Mapping[str, Any], merge: Merge) -> list[str]:
    """Return what a decision that this person has not seen says against theirs, though it changed no value.

    Who confirms a label, or says that it cannot be told, has decided as much as who sets another.
    """
    if annotation.status == Annotation.Status.UNDECIDABLE:
        return ["outcome"]
    return [] if same(mine["label"], annotation.label) or "label" in merge.conflicts else ["label"]


def _theirs(annotation: Annotation, mine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the annotation's values, the metadata among them when I set it."""
    values = annotation.values()
    return values | {"metadata": annotation.metadata} if "metadata" in mine else values


def _replaced(annotation: Annotation, actor: User) -> dict[str, Any]:
    """Withdraw what waited for a person, which this decision is the answer to; returns what undoing needs."""
    waiting = in_trouble(ref=annotation.ref)
    replaced = [{"change": one.pk, "state": one.state, "reason": one.reason} for one in waiting]
    for one in waiting:
        outbox.withdraw(one, reason=f"replaced by a new decision of {actor.get_username()}")
    return {"replaced": replaced}


def _made(
    annotation: Annotation, submission: Submission, values: dict[str, Any], actor: User, cleared: dict[str, Any]
) -> Decision:
    undecidable = submission.outcome == Decision.Outcome.UNDECIDABLE
    result = shown(annotation, submission.result_id)
    return Decision(
        decision_id=submission.decision_id,
        annotation=annotation,
        reviewer=actor,
        outcome=submission.outcome,
        **{name: values[name] for name in annotation.values()}
        | ({"reasoning": submission.reasoning} if undecidable else {}),
        base=submission.base,
        base_version=submission.base_version,
        result=result,
        document_digest=result.digest if result else "",
        retriever_version=annotation.retriever.version if annotation.retriever else None,
        label_set_id=annotation.retriever.label_set_id if annotation.retriever else None,
        guidelines_id=annotation.retriever.guidelines_id if annotation.retriever else None,
        seconds=submission.seconds,
        held_until=timezone.now() + timedelta(seconds=submission.hold) if submission.hold else None,
        cleared=cleared,
    )


def _promise(annotation: Annotation, decision: Decision, before: dict[str, Any], values: dict[str, Any]) -> None:
    """Enqueue what differs."""
    if decision.outcome == Decision.Outcome.UNDECIDABLE:
        return
    creating = annotation.annotation_id is None and not Change.objects.open_on(annotation.ref).exists()
    base = BLANK if creating else before
    fields = values if creating else {name: new for name, new in values.items() if not same(base[name], new)}
    if fields:
        outbox.enqueue(
            annotation.ref,
            verb=Change.Verb.CREATE if creating else Change.Verb.SET,
            fields=fields,
            base=base,
            base_version=annotation.version,
            cause=decision.decision_id,
            actor=decision.reviewer,
            retriever_id=annotation.retriever.retriever_id if annotation.retriever else "",
            held_until=decision.held_until,
        )
