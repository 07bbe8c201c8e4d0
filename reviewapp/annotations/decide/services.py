"""Decide on an annotation. The page, the API and commands call `decide` or `decide_locked`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.errors import UniqueViolation

from reviewapp.annotations.decide.exceptions import (
    AnnotationGone,
    IdTakenByOtherItem,
    IdTakenByOtherPerson,
    LabelNotOffered,
    RequiredFieldsMissing,
    TakenBack,
)
from reviewapp.annotations.decide.merging import current_values, merge_or_raise_stale
from reviewapp.annotations.decide.statements import (
    lock_annotation,
    precheck,
    record,
    resolve_result,
)
from reviewapp.annotations.decide.submission import Submission
from reviewapp.annotations.fields import BLANK_VALUES, SHARED_FIELDS
from reviewapp.annotations.label_use import exact_labels
from reviewapp.annotations.mirror.absorb import rebase
from reviewapp.annotations.mirror.from_upstream import CANNOT_TELL
from reviewapp.annotations.models import Annotation, Decision, Undo
from reviewapp.annotations.parsing import settled_label
from reviewapp.audit.context import acting
from reviewapp.json_values import is_same_json
from reviewapp.naming import tidy
from reviewapp.outbox import services as outbox
from reviewapp.outbox.models import Change

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


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

    check = precheck(annotation.ref, submission.decision_id)
    if check.already_decided:
        return _get_replayed(annotation, submission, actor)
    if annotation.status == Annotation.Status.GONE:
        raise AnnotationGone(annotation.ref)

    label = _settled_label(annotation, submission)
    submission = replace(submission, label=label)

    values = merge_or_raise_stale(annotation, submission)
    _raise_if_not_allowed(annotation, submission, values["label"])

    cleared: dict[str, Any] = {}
    if check.has_open_trouble:
        cleared = _withdraw_superseded(annotation, actor)

    base = current_values(annotation, values)
    decision = _build_decision(annotation, submission, values, actor, cleared)
    try:
        record(decision, values, draft=submission.draft)
        decision.change = _enqueue_change(annotation, decision, submission, base, values)
    except IntegrityError as error:
        # Another transaction uses the decision id at this moment; the caller rolls back.
        if isinstance(error.__cause__, UniqueViolation):
            raise IdTakenByOtherPerson(str(submission.decision_id)) from error
        raise
    return decision


def take_theirs(change: Change, *, actor: User) -> bool:
    """Withdraw a change that is in conflict or refused, so that upstream's values stand.

    Its annotation may have been deleted here. Returns False if it was settled before. Raises
    `PermissionDenied`.
    """
    require_decide_permission(actor)
    with acting(actor, note="kept Mixpeek's values"):
        annotation = Annotation.objects.select_for_update().filter(ref=change.ref).first()
        reason = f"{actor.get_username()} kept Mixpeek's values"
        withdrawn = outbox.withdraw(change, reason=reason)
        if not withdrawn or annotation is None:
            return withdrawn

        rebase(change.ref)
        is_created = annotation.annotation_id is not None
        if is_created or Change.objects.open_on(annotation.ref).exists():
            return True

        # Its create was withdrawn. Its decisions never reached Mixpeek, so the item waits again.
        for decision in Decision.objects.filter(annotation=annotation, undo=None):
            Undo.objects.create(decision=decision, actor=actor)
        annotation.decision = None
        annotation.reviewer = None
        annotation.decided_at = None
        annotation.status = Annotation.Status.WAITING
        annotation.save(update_fields=["decision", "reviewer", "decided_at", "status"])
    return True


def require_decide_permission(actor: User) -> None:
    """Raise `PermissionDenied` unless this person may decide on annotations."""
    if not actor.has_perm("annotations.decide_annotation"):
        raise PermissionDenied(
            _("Only reviewers, leads and admins can decide. Ask an admin for access.")
        )


def require_accepted(annotation: Annotation, submission: Submission) -> str:
    """Return the label in its one form, as deciding would store it now.

    Raises `FieldsRefused` unless the retriever's label set allows the label and the fields.
    """
    label = _settled_label(annotation, submission)
    _raise_if_not_allowed(annotation, replace(submission, label=label), label)
    return label


def _get_replayed(annotation: Annotation, submission: Submission, actor: User) -> Decision:
    """Return the decision with this id if it is this person's on this item, and stands.

    Raises `DecisionIdTaken` otherwise.
    """
    decision = Decision.objects.get(decision_id=submission.decision_id)
    decision_id = str(decision.decision_id)
    if decision.reviewer_id != actor.pk:
        raise IdTakenByOtherPerson(decision_id)
    if decision.annotation_id != annotation.pk:
        raise IdTakenByOtherItem(decision_id)
    if Undo.objects.filter(decision=decision).exists():
        raise TakenBack(decision_id)
    return decision


def _settled_label(annotation: Annotation, submission: Submission) -> str:
    """Return the submitted label in its one form; only an unusual one takes a query."""
    label, label_set = submission.label, annotation.label_set
    seen = {str(submission.base.get("label")), annotation.label}
    usual = label_set.values() if label_set else [tidy(label)]
    if label in seen or label in usual:
        return label

    return settled_label(label, seen | exact_labels(annotation, label), label_set)


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


def _withdraw_superseded(annotation: Annotation, actor: User) -> dict[str, Any]:
    """Withdraw the changes in conflict or refused that this decision answers.

    Returns what an undo needs to reinstate them, for `Decision.cleared`.
    """
    reason = f"replaced by a new decision of {actor.get_username()}"
    replaced = []
    for change in Change.objects.attention().filter(ref=annotation.ref):
        replaced.append({"change": change.pk, "state": change.state, "reason": change.reason})
        outbox.withdraw(change, reason=reason)
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


def _enqueue_change(
    annotation: Annotation,
    decision: Decision,
    submission: Submission,
    base: dict[str, Any],
    values: dict[str, Any],
) -> Change | None:
    """Enqueue the fields to set upstream, or for "can't tell" what our stamp is to say.

    Returns None if there is nothing to tell.
    """
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
        fields = submission.fields_to_send(base, values)
        is_confirmation = all(is_same_json(base[name], fields[name]) for name in fields)
        verb = Change.Verb.CONFIRM if is_confirmation else Change.Verb.SET
    if not fields:
        return None

    retriever = annotation.retriever
    retriever_id = retriever.retriever_id if retriever else ""
    return outbox.enqueue(
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
