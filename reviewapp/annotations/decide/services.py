"""Decide on an annotation. The page, the API and commands call `decide` or `decide_locked`."""

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

from reviewapp.annotations.decide.prechecks import (
    changes_needing_attention,
    get_decision,
    lock_annotation,
    precheck,
    resolve_result,
)
from reviewapp.annotations.decide.record import record
from reviewapp.annotations.fields import (
    BLANK_VALUES,
    PERSONAL_FIELDS,
    SHARED_FIELDS,
    FieldValues,
)
from reviewapp.annotations.mirror.absorb import rebase
from reviewapp.annotations.mirror.from_upstream import CANNOT_TELL
from reviewapp.annotations.models import Annotation, Decision, Undo
from reviewapp.annotations.value_authorship import is_nobodys_edit
from reviewapp.audit.context import acting
from reviewapp.json_values import is_same_json
from reviewapp.outbox import services as outbox
from reviewapp.outbox.merge import Merge, three_way
from reviewapp.outbox.models import Change

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


class AnnotationGone(Exception):
    """The annotation no longer exists upstream: there is nothing to decide; go on to the next."""


class DecisionIdTaken(Exception):
    """This decision id is in use: render the form again, which makes a new id."""


class IdTakenByOtherItem(DecisionIdTaken):
    """The decision with this id is about another item: the form is damaged."""


class IdTakenByOtherPerson(IdTakenByOtherItem):
    """Another person's row has this id, which the answer must not reveal: decide with a new id."""


class TakenBack(DecisionIdTaken):
    """The decision with this id was taken back; a late copy of its form does not restore it."""


class FieldsRefused(Exception):
    """Some fields of a submission are not accepted.

    `errors` maps each field to a sentence; `kind` is the machine-readable error type.
    """

    kind = "value_error"

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


class LabelNotOffered(FieldsRefused):
    """The retriever's label set allows only its own labels (`offered`); `label` is not one."""

    kind = "enum"

    def __init__(self, label: str, offered: list[str]) -> None:
        labels = ", ".join(offered)
        sentence = f"“{label}” is not among the labels of this retriever: {labels}."
        super().__init__({"label": sentence})
        self.label = label
        self.offered = offered


class RequiredFieldsMissing(FieldsRefused):
    """The retriever requires a reasoning or a confidence that the person did not give."""

    kind = "missing"


class StaleSubmission(Exception):
    """Somebody settled the item differently since the form was rendered: show base, mine, theirs.

    `conflicts` names the fields that both sides set (`outcome` when only the outcome differs).
    `merged` is mine with everything that only they touched. `only_mine` and `only_theirs` are the
    fields that one side alone changed. `changed_since.py` tells who settled it.
    """

    def __init__(
        self,
        annotation: Annotation,
        *,
        base: dict[str, Any],
        mine: dict[str, Any],
        merge: Merge,
        conflicts: list[str],
    ) -> None:
        super().__init__(f"{annotation.ref} was changed meanwhile: {', '.join(conflicts)}")
        self.annotation = annotation
        self.base = base
        self.mine = mine
        self.theirs = _current_values(annotation, mine)
        self.merged = merge.values
        self.conflicts = conflicts
        self.only_mine = [name for name in merge.mine_only if name not in conflicts]
        self.only_theirs = [name for name in merge.theirs_only if name not in conflicts]


@dataclass(frozen=True, kw_only=True)
class Submission(FieldValues):
    """What a person submits: the values, the base they saw, the evidence, the time it took.

    `base` is `Annotation.seen()` as it was rendered. `given` names the fields that the person
    gave, also those they left as they were or made blank; None stands for those that differ from
    the base. With `is_whole`, as for a form, the label is always given, and a relabel clears the
    confidence and reasoning that were not given: they belonged to another label.

    `decision_id` is made with the form; the same id sent again is the same decision. For `hold`
    seconds the decision can be taken back and is not sent. `seconds` is how long the person took.
    `draft` is the edition of the draft that this decision ends. `metadata` is for scripts: an
    object, None to clear it, `...` to leave it unchanged.
    """

    decision_id: UUID
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
        """Return the values the annotation is to hold, with the metadata if it is set.

        A confidence or reasoning that was not given is cleared by a relabel, else unchanged.
        """
        given = self.given_fields()
        cleared = self.cleared_fields()

        values = self.by_name()
        for name in PERSONAL_FIELDS:
            if name in cleared:
                values[name] = BLANK_VALUES[name]
            elif name not in given:
                values[name] = self.base.get(name, BLANK_VALUES[name])

        if self.metadata is not ...:
            values["metadata"] = self.metadata
        return values

    @property
    def is_relabel(self) -> bool:
        """Whether the label differs from the one the person saw."""
        return not is_same_json(self.label, self.base.get("label"))

    @property
    def is_undecidable(self) -> bool:
        """Whether the person cannot tell."""
        return self.outcome == Decision.Outcome.UNDECIDABLE

    def given_fields(self) -> frozenset[str]:
        """Return the names of the fields that the person gave."""
        if self.given is None:
            values = self.by_name()
            return frozenset(
                name for name in values if not is_same_json(values[name], self.base.get(name))
            )
        if self.is_whole:
            return self.given | {"label"}
        return self.given

    def newly_given(self) -> set[str]:
        """Return the personal fields that the person gave and the form did not start with.

        Such a value is the person's even where it equals the machine's that they saw.
        """
        initial = set(self.base.get("given", ()))
        return set(PERSONAL_FIELDS) & self.given_fields() - initial

    def cleared_fields(self) -> list[str]:
        """Return the personal fields that a relabel clears because the person gave none."""
        if not (self.is_whole and self.is_relabel):
            return []
        given = self.given_fields()
        return [name for name in PERSONAL_FIELDS if name not in given]

    def own_words(self) -> dict[str, Any]:
        """Return the personal fields as the person gave them, blank where they gave none."""
        given = self.given_fields()
        values = self.by_name()
        words = {}
        for name in PERSONAL_FIELDS:
            words[name] = values[name] if name in given else BLANK_VALUES[name]
        return words


def decide(annotation_id: int, submission: Submission, *, actor: User) -> Decision:
    """Record a decision, update the annotation, enqueue the change; all in one transaction.

    The same decision id again returns the decision it made. Raises `PermissionDenied`,
    `Annotation.DoesNotExist`, `AnnotationGone`, `DecisionIdTaken`, `FieldsRefused`, and
    `StaleSubmission` when somebody settled the item differently since.
    """
    require_decide_permission(actor)

    note = ""
    if submission.is_undecidable:
        # The annotation does not hold why somebody cannot tell; the history does.
        note = submission.reasoning

    with acting(actor, note=note):
        annotation = lock_annotation(annotation_id)
        return decide_locked(annotation, submission, actor=actor)


def decide_locked(annotation: Annotation, submission: Submission, *, actor: User) -> Decision:
    """Decide on an annotation that the caller has locked, inside the caller's `acting(actor)`.

    Afterwards `annotation` holds the decided values. Raises what `decide` raises; the caller must
    then roll back its transaction.
    """
    require_decide_permission(actor)

    already_decided, has_open_trouble = precheck(annotation.ref, submission.decision_id)
    if already_decided:
        decision = get_decision(decision_id=submission.decision_id)[0]
        _raise_unless_replay(decision, annotation, actor)
        return decision
    if annotation.status == Annotation.Status.GONE:
        raise AnnotationGone(annotation.ref)

    values = _merge_or_raise_stale(annotation, submission)
    _raise_if_not_allowed(annotation, submission, values["label"])
    base = _current_values(annotation, values)

    cleared: dict[str, Any] = {}
    if has_open_trouble:
        cleared = _withdraw_superseded(annotation, actor)

    decision = _build_decision(annotation, submission, values, actor, cleared)
    with _raise_if_id_taken(submission):
        record(decision, values, draft=submission.draft)
        _enqueue_change(annotation, decision, submission, base, values)
    return decision


def take_theirs(change: Change, *, actor: User) -> bool:
    """Withdraw a change that is in conflict or refused, so that upstream's values stand.

    Returns False if it was settled before. Raises `PermissionDenied`.
    """
    require_decide_permission(actor)
    with acting(actor, note="took Mixpeek's values"):
        annotation = Annotation.objects.select_for_update().get(ref=change.ref)
        reason = f"{actor.get_username()} took Mixpeek's values"
        withdrawn = outbox.withdraw(change, reason=reason)
        if withdrawn:
            rebase(change.ref)
            _reopen_if_never_created(annotation, actor)
    return withdrawn


def _reopen_if_never_created(annotation: Annotation, actor: User) -> None:
    """Let an item wait again if its create was withdrawn: its decisions never reached Mixpeek."""
    if annotation.annotation_id is not None:
        return
    if Change.objects.open_on(annotation.ref).exists():
        return

    for decision in Decision.objects.filter(annotation=annotation, undo=None):
        Undo.objects.create(decision=decision, actor=actor)

    annotation.decision = None
    annotation.reviewer = None
    annotation.decided_at = None
    annotation.status = Annotation.Status.WAITING
    annotation.save(update_fields=["decision", "reviewer", "decided_at", "status"])


def require_decide_permission(actor: User) -> None:
    """Raise `PermissionDenied` unless this person may decide on annotations."""
    if not actor.has_perm("annotations.decide_annotation"):
        raise PermissionDenied("Deciding needs the role reviewer, lead or admin.")


def _raise_unless_replay(decision: Decision, annotation: Annotation, actor: User) -> None:
    """Raise `DecisionIdTaken` unless it is this person's decision on this item, and stands."""
    decision_id = str(decision.decision_id)
    if decision.reviewer_id != actor.pk:
        raise IdTakenByOtherPerson(decision_id)
    if decision.annotation_id != annotation.pk:
        raise IdTakenByOtherItem(decision_id)
    if Undo.objects.filter(decision=decision).exists():
        raise TakenBack(decision_id)


def _merge_or_raise_stale(annotation: Annotation, submission: Submission) -> dict[str, Any]:
    """Return the values the annotation is to have; raises `StaleSubmission` where both sides set a
    field.
    """
    base = submission.base
    settled_since = "decision" in base and base["decision"] != annotation.decision_id

    if submission.is_undecidable:
        theirs = _current_values(annotation, submission.values())
        mine = {name: base.get(name, value) for name, value in theirs.items()}
        merge = three_way(base=base, mine=mine, theirs=theirs)
        conflicts = []
        if settled_since and annotation.status == Annotation.Status.DECIDED:
            conflicts = ["outcome"]
    else:
        asserted = {"label", *submission.newly_given()}
        mine, merge = merge_submission(annotation, submission, asserted=asserted)
        conflicts = list(merge.conflicts)
        if settled_since:
            conflicts = _unseen_conflicts(annotation, mine, merge) + conflicts
        conflicts = without_cleared_fields(submission, conflicts)

    if conflicts:
        raise StaleSubmission(annotation, base=base, mine=mine, merge=merge, conflicts=conflicts)
    return merge.values


def merge_submission(
    annotation: Annotation, submission: Submission, *, asserted: Collection[str] = ()
) -> tuple[dict[str, Any], Merge]:
    """Merge a submission into the annotation's current values; returns mine and the merge.

    A confidence or reasoning that was the machine's or blank, and is so again, is nobody's edit:
    for such a field the current value counts as the base.
    """
    theirs = _current_values(annotation, submission.values())
    base = dict(submission.base)
    for name in PERSONAL_FIELDS:
        if name not in base or is_same_json(theirs[name], base[name]):
            continue
        if is_nobodys_edit(annotation, name, base[name]):
            base[name] = theirs[name]

    mine = replace(submission, base=base).values()
    merge = three_way(base=base, mine=mine, theirs=theirs, asserted=asserted)
    return mine, merge


def without_cleared_fields(submission: Submission, conflicts: Collection[str]) -> list[str]:
    """Leave out the conflicts in fields that a relabel clears, if the label is in conflict too."""
    if "label" not in conflicts:
        return list(conflicts)
    cleared = submission.cleared_fields()
    return [name for name in conflicts if name not in cleared]


def _unseen_conflicts(annotation: Annotation, mine: Mapping[str, Any], merge: Merge) -> list[str]:
    """Return the conflicts with a decision that the person has not seen and that changed no value.

    Confirming a label, or "can't tell", is as much a decision as setting another label.
    """
    if annotation.status == Annotation.Status.UNDECIDABLE:
        return ["outcome"]
    if is_same_json(mine["label"], annotation.label) or "label" in merge.conflicts:
        return []
    return ["label"]


def _raise_if_not_allowed(annotation: Annotation, submission: Submission, label: str) -> None:
    """Raise `FieldsRefused` unless the retriever's label set allows the label and the fields."""
    label_set = annotation.label_set
    if label_set is None or submission.outcome != Decision.Outcome.DECIDED:
        return

    if not label_set.allows(label):
        raise LabelNotOffered(label, label_set.values())

    # The first label of an item that had none changes nothing.
    is_relabel = submission.is_relabel and bool(submission.base.get("label"))
    missing = label_set.settings.missing_words(submission.own_words(), relabels=is_relabel)
    if missing:
        raise RequiredFieldsMissing(missing)


def _current_values(annotation: Annotation, mine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the annotation's values, with the metadata if `mine` sets it."""
    values = annotation.values()
    if "metadata" in mine:
        values["metadata"] = annotation.metadata
    return values


def _withdraw_superseded(annotation: Annotation, actor: User) -> dict[str, Any]:
    """Withdraw the changes in conflict or refused that this decision answers.

    Returns what an undo needs to reinstate them, for `Decision.cleared`.
    """
    superseded = changes_needing_attention(ref=annotation.ref)
    replaced = []
    for change in superseded:
        replaced.append({"change": change.pk, "state": change.state, "reason": change.reason})

    for change in superseded:
        outbox.withdraw(change, reason=f"replaced by a new decision of {actor.get_username()}")
    return {"replaced": replaced}


def _build_decision(
    annotation: Annotation,
    submission: Submission,
    values: dict[str, Any],
    actor: User,
    cleared: dict[str, Any],
) -> Decision:
    words = submission.own_words()
    if submission.is_undecidable:
        words["reasoning"] = submission.reasoning

    held_until = None
    if submission.hold:
        held_until = timezone.now() + timedelta(seconds=submission.hold)

    shared_values = {name: values[name] for name in SHARED_FIELDS}
    retriever = annotation.retriever
    result = resolve_result(annotation, submission.result_id)
    return Decision(
        decision_id=submission.decision_id,
        annotation=annotation,
        reviewer=actor,
        outcome=submission.outcome,
        **shared_values,
        **words,
        own_words=True,
        base=submission.base,
        base_version=submission.base_version,
        result=result,
        document_digest=result.digest if result else "",
        retriever_version=retriever.version if retriever else None,
        label_set_id=retriever.label_set_id if retriever else None,
        guidelines_id=retriever.guidelines_id if retriever else None,
        seconds=submission.seconds,
        held_until=held_until,
        cleared=cleared,
    )


@contextmanager
def _raise_if_id_taken(submission: Submission) -> Iterator[None]:
    """Raise `IdTakenByOtherPerson` if another transaction uses the decision id at this moment.

    The caller's transaction is broken then and must be rolled back.
    """
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            raise IdTakenByOtherPerson(str(submission.decision_id)) from error
        raise


def _enqueue_change(
    annotation: Annotation,
    decision: Decision,
    submission: Submission,
    base: dict[str, Any],
    values: dict[str, Any],
) -> None:
    """Enqueue the fields to set upstream, or for "can't tell" what our stamp is to say."""
    is_local = annotation.annotation_id is None
    if submission.is_undecidable:
        # Without a base it neither conflicts nor merges: it is about no value.
        verb = Change.Verb.CANNOT_TELL
        fields = {"outcome": CANNOT_TELL, "reason": submission.reasoning}
        base = {}
    elif is_local and not Change.objects.open_on(annotation.ref).setting_values().exists():
        verb = Change.Verb.CREATE
        fields = values
        base = BLANK_VALUES
    else:
        fields = _fields_to_send(submission, base, values)
        is_confirmation = all(is_same_json(base[name], fields[name]) for name in fields)
        verb = Change.Verb.CONFIRM if is_confirmation else Change.Verb.SET
    if not fields:
        return

    retriever = annotation.retriever
    retriever_id = retriever.retriever_id if retriever else ""
    outbox.enqueue(
        annotation.ref,
        verb=verb,
        fields=fields,
        base=base,
        base_version=annotation.version,
        cause=decision.decision_id,
        actor=decision.reviewer,
        retriever_id=retriever_id,
        held_until=decision.held_until,
    )


def _fields_to_send(
    submission: Submission,
    base: dict[str, Any],
    values: dict[str, Any],
) -> dict[str, Any]:
    """Return the fields that differ, and those that the person gave unchanged.

    A given field that stays as it was is the person's now, and was the machine's before. A blank
    that stays blank is not sent, nor is a value that the form started with.
    """
    initial = submission.base.get("given", ())
    given = submission.given_fields().difference(initial)

    fields = {}
    for name, value in values.items():
        is_changed = not is_same_json(base[name], value)
        is_asserted = name in given and not is_same_json(value, BLANK_VALUES[name])
        if is_changed or is_asserted:
            fields[name] = value
    return fields
