"""What people do with an item: decide it, skip it, defer it, take it up again. Each door leads on to the next."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST

from reviewapp.annotations.decide import services
from reviewapp.annotations.decide import skip as decide_skip
from reviewapp.annotations.decide.conflicts import compare, refreshed
from reviewapp.annotations.decide.forms import FROM_BEFORE, AsideForm, DecisionForm, brought_up_to_date, fresh, opening
from reviewapp.annotations.decide.parsing import FIELDS, number
from reviewapp.annotations.drafts import services as drafts_services
from reviewapp.annotations.models import Annotation, Decision, SetAside
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.review import label_buttons
from reviewapp.annotations.review.context import progress
from reviewapp.annotations.value_authorship import PERSONAL_FIELDS
from reviewapp.annotations.views.navigation import go_on, item_or_404, to_decide_or_404, to_item
from reviewapp.annotations.views.review import show
from reviewapp.annotations.views.sign_in_gate import or_sign_in
from reviewapp.audit.context import about
from reviewapp.json_values import same
from reviewapp.outbox.models import Change
from reviewapp.web.http import Request, garbled, wants_json

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

_GONE = "Mixpeek no longer has this annotation, so nothing was saved. Copy what you need and go on to the next."
_USED = (
    "This form was submitted before, and that decision stands. What differs from it below is not saved yet: "
    "submit again to make it your new decision."
)

_OF_ANOTHER = (
    "This form was damaged: it carried the mark of a decision on another item. Nothing is saved. "
    "What you typed is below: submit again to make it your decision here."
)
_TAKEN_BACK = "You took this decision back, so nothing of it is saved. Submit again to make it your new decision."
_GARBLED = "This holds characters that cannot be stored; they are shown as \ufffd. Write them anew or take them out."
# Where only others changed these, a decision holds theirs.
_MERGED = ("label", "payload")
_IN_THE_WAY = (services.Stale, services.FieldsRefused, services.Gone, services.DecisionIdTaken)


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def decide(request: Request, pk: int) -> HttpResponse:
    """Record the decision and go on to the next item; whatever stands in the way is said beside what was typed."""
    annotation = to_decide_or_404(pk)
    about(annotation.ref)
    form = DecisionForm(request.POST, annotation=annotation)
    data = {name: request.POST.get(name, "") for name in form.fields}
    for name in garbled(request) & {*FIELDS, "choice"}:
        form.add_error(name, _GARBLED)
    if not form.is_valid():
        return show(request, item_or_404(pk), data, status=422, errors=form.errors)
    if form.is_from_before:
        now_so = item_or_404(pk)
        return show(request, now_so, brought_up_to_date(data, now_so), status=409, notice=FROM_BEFORE)
    submission = form.submission(hold=request.user.hold)
    if _is_to_be_confirmed(annotation, submission, data["new_label"]):
        asks = {"errors": {"label": [_new_label(submission.label)]}, "new_label": submission.label}
        return show(request, item_or_404(pk), data, status=422, **asks)
    try:
        decision = _decided(pk, submission, request.user)
    except _IN_THE_WAY as error:
        return _told(request, item_or_404(pk), data, error)
    if not _says(decision, submission):
        return _once_more(request, item_or_404(pk), data, _USED)
    return _saved(request, annotation, merged=merged(decision, submission))


def _decided(pk: int, submission: services.Submission, actor: User) -> Decision:
    """Decide; an id that something of another person has counts as an unused one, so no answer tells that it exists."""
    try:
        return services.decide(pk, submission, actor=actor)
    except services.IdTakenByOtherPerson:
        # The same form sent again is one decision all the same, and ends its draft.
        own_id = uuid.uuid5(submission.decision_id, f"person {actor.pk}")
        draft = drafts_services.own(pk, actor)
        if draft is not None and draft.decision_id == submission.decision_id:
            submission = replace(submission, draft=draft.edition)
        return services.decide(pk, replace(submission, decision_id=own_id), actor=actor)


def _is_to_be_confirmed(annotation: Annotation, submission: services.Submission, confirmed: str) -> bool:
    """Return whether the label would be a new one, and the person has not said yet to create exactly that."""
    if submission.outcome == Decision.Outcome.UNDECIDABLE or submission.label in {submission.base["label"], confirmed}:
        return False
    return label_buttons.is_new(annotation, submission.label)


def _new_label(label: str) -> str:
    question = f"New label “{label}”? Nobody has used it here yet."
    if len(label) == 1 and label.isdigit():
        return f"{question} If you meant the key {label}, empty this field, leave it and press the key again."
    return question


def _told(request: Request, now_so: Annotation, data: dict[str, Any], error: Exception) -> HttpResponse:
    """Show the form again with what was typed, and say what stood in the way."""
    match error:
        case services.Stale():
            asks = compare(error, data, viewer=request.user.get_username())
            return show(request, now_so, refreshed(data, error, now_so), status=409, stale=asks)
        case services.FieldsRefused():
            errors = {name: [sentence] for name, sentence in error.errors.items()}
            return show(request, now_so, data, status=422, errors=errors)
        case services.Gone():
            return show(request, now_so, data, status=409, notice=_GONE)
        case services.IdTakenByOtherItem():
            return _once_more(request, now_so, data, _OF_ANOTHER)
        case services.TakenBack():
            return _once_more(request, now_so, data, _TAKEN_BACK)
    return _once_more(request, now_so, data, _USED)


def _once_more(request: Request, now_so: Annotation, data: Mapping[str, Any], notice: str) -> HttpResponse:
    return show(request, now_so, {**data, **fresh(now_so)}, status=409, notice=notice)


def _says(decision: Decision, submission: services.Submission) -> bool:
    """Return whether the decision is what was submitted; it is not when an old form came back with new values.

    Two tabs that went on from one draft share its decision id. A value that only the earlier submit set, or a label,
    which is always asserted, is then no merge: the later tab says something else.
    """
    if decision.outcome != submission.outcome:
        return False
    if submission.outcome == Decision.Outcome.UNDECIDABLE:
        return decision.reasoning == submission.reasoning
    if any(not same(getattr(decision, name), words) for name, words in submission.own_words().items()):
        return False
    differing = [name for name in _MERGED if not same(getattr(decision, name), submission.values()[name])]
    if not differing:
        return True
    change = Change.objects.filter(cause=decision.decision_id).first()
    asserted = {"label", *(change.fields if change else ())}
    return all(name not in asserted and same(submission.values()[name], submission.base[name]) for name in differing)


def merged(decision: Decision, submission: services.Submission) -> str:
    """Return a sentence that says which values stay as somebody else set them, and who did; "" for none."""
    if decision.outcome == Decision.Outcome.UNDECIDABLE:
        return ""
    theirs = _taken_over(decision, submission)
    if not theirs:
        return ""
    by = _changed_by(decision, theirs)
    if theirs == ["confidence"]:
        confidence = number(decision.annotation.confidence) or "blank"
        return f" The confidence stays {confidence}: {by} it while you worked."
    if len(theirs) == 1:
        return f" The {theirs[0]} stays as it is: {by} it while you worked."
    return f" The {' and '.join(theirs)} stay as they are: {by} them while you worked."


def _taken_over(decision: Decision, submission: services.Submission) -> list[str]:
    """Return the fields that hold somebody else's value because the person had left them as they were.

    A decision holds the person's own confidence and reasoning; what stands of them is on the annotation, as long as
    this decision does.
    """
    values = submission.values()
    theirs = [name for name in _MERGED if not same(getattr(decision, name), values[name])]
    if decision.annotation.decision_id == decision.pk:
        standing = decision.annotation.values()
        theirs += [name for name in PERSONAL_FIELDS if not same(standing[name], values[name])]
    return [name for name in FIELDS if name in theirs]


def _changed_by(decision: Decision, fields: Sequence[str]) -> str:
    """Return who changed what a decision took over: the person of the one before it, unless that had other values."""
    before = Decision.objects.before(decision).first()
    standing = decision.annotation.values() | {name: getattr(decision, name) for name in _MERGED}
    if before is None or not all(same(getattr(before, name), standing[name]) for name in fields):
        return "another key at Mixpeek changed"
    if before.reviewer_id == decision.reviewer_id:
        return "you, in another tab, changed"
    return f"{before.reviewer.get_username()} changed"


def _saved(request: Request, annotation: Annotation, *, merged: str) -> HttpResponse:
    chosen = QueueFilter.parse(request.GET)
    if wants_json(request):
        left = progress(chosen, request.user, now=timezone.now())
        return _told_so(f"Saved. {left.sentence()}{merged}")
    # The page this leads to counts what is left and says so behind the message.
    messages.success(request, f"Saved.{merged}", extra_tags="left")
    return go_on(request, chosen, annotation)


def _told_so(said: str) -> HttpResponse:
    """Tell a script, which sends what had waited for the network; it is given no next item."""
    return JsonResponse({"state": "saved", "said": said})


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def skip(request: Request, pk: int) -> HttpResponse:
    """Leave the item to somebody else."""
    return _put_aside(request, pk, SetAside.Kind.SKIPPED, "Skipped: somebody else will look at it.")


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def defer(request: Request, pk: int) -> HttpResponse:
    """Put the item off until this person takes it up again."""
    return _put_aside(request, pk, SetAside.Kind.DEFERRED, "Deferred: it waits for you under Deferred.")


def _put_aside(request: Request, pk: int, kind: SetAside.Kind, said: str) -> HttpResponse:
    annotation = item_or_404(pk)
    form = AsideForm(request.POST)
    if not form.is_valid():
        return show(request, annotation, opening(annotation, now=timezone.now()), status=422, errors=form.errors)
    decide_skip.put_aside(annotation, kind, actor=request.user, reason=form.cleaned_data["reason"])
    if wants_json(request):
        return _told_so(said)
    messages.success(request, said)
    return go_on(request, QueueFilter.parse(request.GET), annotation)


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def resume(request: Request, pk: int) -> HttpResponse:
    """Take up again what this person has skipped or deferred."""
    annotation = get_object_or_404(Annotation, pk=pk)
    if decide_skip.resume(annotation, actor=request.user):
        messages.success(request, "It is back in your queue.")
    return to_item(QueueFilter.parse(request.GET), pk)
