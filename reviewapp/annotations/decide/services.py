"""What people do with annotations. One verb, one function, however many doors lead to it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from types import EllipsisType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.utils import timezone
from psycopg.errors import UniqueViolation

from reviewapp.annotations.decide.prechecks import beside, in_trouble, locked, made, shown
from reviewapp.annotations.decide.record import record
from reviewapp.annotations.mirror.absorb import rebase
from reviewapp.annotations.mirror.from_upstream import BLANK
from reviewapp.annotations.models import Annotation, Decision, Undo
from reviewapp.annotations.value_authorship import PERSONAL_FIELDS, is_nobodys_edit
from reviewapp.audit.context import acting
from reviewapp.json_values import same
from reviewapp.outbox import services as outbox
from reviewapp.outbox.merge import Merge, three_way
from reviewapp.outbox.models import Change

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


class Gone(Exception):
    """The annotation no longer exists upstream: there is nothing to decide; go on to the next."""


class DecisionIdTaken(Exception):
    """This decision id was used for something else: render the form anew, which makes a fresh one."""


class OfAnotherItem(DecisionIdTaken):
    """The decision with this id is about another item: the form is damaged."""


class OfAnotherPerson(OfAnotherItem):
    """Something of another person has this id, which nobody may learn from the answer: decide with a fresh id."""


class TakenBack(DecisionIdTaken):
    """The decision with this id was taken back, and a late copy of its form does not bring it back."""


class FieldsRefused(Exception):
    """Fields of a submission cannot be accepted: `errors` holds a sentence for each, `kind` is what scripts go by."""

    kind = "value_error"

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


class LabelNotOffered(FieldsRefused):
    """The retriever's label set allows only the labels in it (`offered`), and `label` is not one of them."""

    kind = "enum"

    def __init__(self, label: str, offered: list[str]) -> None:
        super().__init__({"label": f"“{label}” is not among the labels of this retriever: {', '.join(offered)}."})
        self.label, self.offered = label, offered


class WordsRequired(FieldsRefused):
    """The retriever asks for a reasoning or a confidence that the person did not give."""

    kind = "missing"


class Stale(Exception):
    """Somebody settled the item since the form was rendered, and differently: show base, mine and theirs.

    `conflicts` names the fields in question (`outcome` when only the outcome is), `merged` is mine with everything
    that only they touched; `only_mine` and `only_theirs` are the fields that so need no asking (`changed_since.py` says
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

    `base` is `Annotation.seen()` as it was rendered. `given` names the fields that the person gave, also those that
    they gave as they were or blank; None stands for those that differ from the base. With `is_whole`, as a form is, the
    label is always given, and a relabel clears the confidence and reasoning that were not: they belonged to another
    label.

    `decision_id` is made with the form; the same id sent again is the same decision. For `hold` seconds it can be taken
    back, and is not sent. `draft` is the edition of the draft that ends with it. `metadata` is for scripts: an object,
    None to clear it, `...` to leave it as it is.
    """

    decision_id: UUID
    label: str
    confidence: float | None = None
    reasoning: str = ""
    payload: dict[str, Any]
    base: dict[str, Any]
    given: frozenset[str] | None = None
    is_whole: bool = False
    base_version: int | None = None
    outcome: Decision.Outcome = Decision.Outcome.DECIDED
    result_id: int | None = None
    seconds: float | None = None
    hold: int = 0
    draft: UUID | None = None
    metadata: dict[str, Any] | EllipsisType | None = ...

    def values(self) -> dict[str, Any]:
        """Return what the annotation is to hold: the four values, and the metadata when it is to be set.

        A confidence or reasoning that the person did not give is cleared by a relabel and else stays as it was.
        """
        given = self.given_fields()
        cleared = self.cleared_fields()
        values = self._raw_values()
        for name in PERSONAL_FIELDS:
            if name in cleared:
                values[name] = BLANK[name]
            elif name not in given:
                values[name] = self.base.get(name, BLANK[name])
        return values if self.metadata is ... else values | {"metadata": self.metadata}

    @property
    def relabels(self) -> bool:
        """Whether the label is another one than the person saw."""
        return not same(self.label, self.base.get("label"))

    def given_fields(self) -> frozenset[str]:
        """Return the names of the fields that the person gave."""
        if self.given is None:
            values = self._raw_values()
            return frozenset(name for name, value in values.items() if not same(value, self.base.get(name)))
        return self.given | {"label"} if self.is_whole else self.given

    def newly_given(self) -> set[str]:
        """Return those of confidence and reasoning that the person gave and that the form did not begin with.

        Such a value is theirs even where it equals the machine's that they saw.
        """
        return set(PERSONAL_FIELDS) & self.given_fields() - set(self.base.get("given", ()))

    def cleared_fields(self) -> list[str]:
        """Return those of confidence and reasoning that a relabel clears because the person gave none."""
        if not (self.is_whole and self.relabels):
            return []
        given = self.given_fields()
        return [name for name in PERSONAL_FIELDS if name not in given]

    def own_words(self) -> dict[str, Any]:
        """Return confidence and reasoning as the person gave them, blank where they gave none."""
        given = self.given_fields()
        values = self._raw_values()
        return {name: values[name] if name in given else BLANK[name] for name in PERSONAL_FIELDS}

    def _raw_values(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "confidence": self.confidence,
            "reasoning": self.reasoning,
            "payload": self.payload,
        }


def decide(annotation_id: int, submission: Submission, *, actor: User) -> Decision:
    """Record a person's decision, update the annotation, and promise the difference to Mixpeek; all or nothing.

    Raises `PermissionDenied`, `Annotation.DoesNotExist`, `Gone`, `DecisionIdTaken`, `FieldsRefused`, and `Stale`
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
    _raise_if_words_missing(annotation, submission)
    before = _theirs(annotation, values)
    cleared = _replaced(annotation, actor) if in_the_way else {}
    decision = _made(annotation, submission, values, actor, cleared)
    with _once(submission):
        record(decision, values, draft=submission.draft)
        _promise(annotation, decision, submission, before, values)
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
    """Raise `OfAnotherPerson` when the id is used, at this very moment, for another item or for another change.

    The transaction is over then: whoever opened it takes everything back.
    """
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            raise OfAnotherPerson(str(submission.decision_id)) from error
        raise


def _replayed(seen: Decision, annotation: Annotation, actor: User) -> Decision:
    if seen.reviewer_id != actor.pk:
        raise OfAnotherPerson(str(seen.decision_id))
    if seen.annotation_id != annotation.pk:
        raise OfAnotherItem(str(seen.decision_id))
    if Undo.objects.filter(decision=seen).exists():
        raise TakenBack(str(seen.decision_id))
    return seen


def _settled_values(annotation: Annotation, submission: Submission) -> dict[str, Any]:
    """Return the values the annotation is to have; raises `Stale` where two people said different things."""
    base = submission.base
    settled_since = "decision" in base and base["decision"] != annotation.decision_id
    if submission.outcome == Decision.Outcome.UNDECIDABLE:
        theirs = _theirs(annotation, submission.values())
        mine = {name: base.get(name, value) for name, value in theirs.items()}
        merge = three_way(base=base, mine=mine, theirs=theirs)
        conflicts = ["outcome"] if settled_since and annotation.status == Annotation.Status.DECIDED else []
    else:
        mine, merge = merge_with(annotation, submission, asserted={"label", *submission.newly_given()})
        unseen = _unseen(annotation, mine, merge) if settled_since else []
        conflicts = without_cleared(submission, [*unseen, *merge.conflicts])
    if conflicts:
        raise Stale(annotation, base=base, mine=mine, merge=merge, conflicts=conflicts)
    return merge.values


def merge_with(
    annotation: Annotation, submission: Submission, *, asserted: Collection[str] = ()
) -> tuple[dict[str, Any], Merge]:
    """Merge what is submitted into the annotation as it is now; returns the submission's values and the merge.

    A confidence or reasoning that was the machine's or blank, and is so again, is nobody's edit: the submission counts
    as made from what stands now.
    """
    theirs = _theirs(annotation, submission.values())
    base = dict(submission.base)
    for name in PERSONAL_FIELDS:
        if name in base and not same(theirs[name], base[name]) and is_nobodys_edit(annotation, name, base[name]):
            base[name] = theirs[name]
    mine = replace(submission, base=base).values()
    return mine, three_way(base=base, mine=mine, theirs=theirs, asserted=asserted)


def without_cleared(submission: Submission, conflicts: Collection[str]) -> list[str]:
    """Return the conflicts without what follows the label: a relabel clears it without a word about it."""
    if "label" not in conflicts:
        return list(conflicts)
    return [name for name in conflicts if name not in submission.cleared_fields()]


def _raise_if_not_offered(annotation: Annotation, submission: Submission, label: str) -> None:
    offered = annotation.retriever.label_set if annotation.retriever else None
    if submission.outcome == Decision.Outcome.DECIDED and offered and not offered.allows(label):
        raise LabelNotOffered(label, offered.values())


def _raise_if_words_missing(annotation: Annotation, submission: Submission) -> None:
    label_set = annotation.retriever.label_set if annotation.retriever else None
    if label_set is None or submission.outcome != Decision.Outcome.DECIDED:
        return
    # The first label of an item that had none changes nothing.
    changes_label = submission.relabels and bool(submission.base.get("label"))
    missing = label_set.settings.missing_words(submission.own_words(), relabels=changes_label)
    if missing:
        raise WordsRequired(missing)


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
    words = submission.own_words()
    if submission.outcome == Decision.Outcome.UNDECIDABLE:
        words["reasoning"] = submission.reasoning
    result = shown(annotation, submission.result_id)
    return Decision(
        decision_id=submission.decision_id,
        annotation=annotation,
        reviewer=actor,
        outcome=submission.outcome,
        label=values["label"],
        payload=values["payload"],
        **words,
        own_words=True,
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


def _promise(
    annotation: Annotation,
    decision: Decision,
    submission: Submission,
    before: dict[str, Any],
    values: dict[str, Any],
) -> None:
    """Enqueue what Mixpeek is to be told: what differs, what the person gave, and the label that they decided on."""
    if decision.outcome == Decision.Outcome.UNDECIDABLE:
        return
    creating = annotation.annotation_id is None and not Change.objects.open_on(annotation.ref).exists()
    base = BLANK if creating else before
    fields = values if creating else _fields_to_tell(submission, before, values)
    if not fields:
        return

    verb = Change.Verb.SET
    if creating:
        verb = Change.Verb.CREATE
    elif all(same(before[name], value) for name, value in fields.items()):
        verb = Change.Verb.CONFIRM
    outbox.enqueue(
        annotation.ref,
        verb=verb,
        fields=fields,
        base=base,
        base_version=annotation.version,
        cause=decision.decision_id,
        actor=decision.reviewer,
        retriever_id=annotation.retriever.retriever_id if annotation.retriever else "",
        held_until=decision.held_until,
    )


def _fields_to_tell(submission: Submission, before: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Return what differs, and what the person gave although it stays as it is: it was the machine's before.

    A blank that stays blank says nothing, and neither does what a form began with.
    """
    differing = {name for name, value in values.items() if not same(before[name], value)}
    given = {name for name in submission.given_fields() if not same(values[name], BLANK[name])}
    given -= set(submission.base.get("given", ()))
    return {name: value for name, value in values.items() if name in differing | given}
