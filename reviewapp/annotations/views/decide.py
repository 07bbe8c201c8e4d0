"""Decide an item, skip it, defer it, resume it; start to judge a result."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from reviewapp.annotations.decide import create, services
from reviewapp.annotations.decide import skip as decide_skip
from reviewapp.annotations.decide.conflicts import compare_sides, rebased_form_data
from reviewapp.annotations.decide.exceptions import (
    AnnotationGone,
    DecisionIdTaken,
    FieldsRefused,
    IdTakenByOtherItem,
    IdTakenByOtherPerson,
    StaleSubmission,
    TakenBack,
)
from reviewapp.annotations.decide.forms import (
    OLD_FORM_NOTICE,
    AsideForm,
    DecisionForm,
    initial_data,
    new_decision_data,
    posted_data,
    upgraded_form_data,
)
from reviewapp.annotations.decide.submission import Submission
from reviewapp.annotations.drafts import services as drafts_services
from reviewapp.annotations.drafts.sign_in_gate import or_sign_in
from reviewapp.annotations.fields import FIELDS, SHARED_FIELDS
from reviewapp.annotations.label_use import is_new_label, new_label_question
from reviewapp.annotations.models import Annotation, Decision, SetAside
from reviewapp.annotations.parsing import number
from reviewapp.annotations.queue import leases
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.review.context import lease_minutes, person_context
from reviewapp.annotations.review.item import held_by
from reviewapp.annotations.review.progress import ReviewProgress, get_progress
from reviewapp.annotations.review.surroundings import load_surroundings
from reviewapp.annotations.views.navigation import (
    get_for_decision_or_404,
    get_item_or_404,
    redirect_to_item,
    redirect_to_next,
)
from reviewapp.annotations.views.review import render_item
from reviewapp.audit.context import set_subject
from reviewapp.json_values import is_same_json
from reviewapp.retrievers.models import Result
from reviewapp.web.http import Request, parse_whole_number, undecodable_fields, wants_json

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

_GONE = gettext_lazy(
    "Mixpeek no longer has this annotation, so nothing was saved. Copy what you need and open the "
    "next item."
)
_ID_USED = gettext_lazy(
    "This form was already submitted, and that decision is saved. "
    "Your changes below are not: submit "
    "again to make them a new decision."
)
_ID_OF_OTHER_ITEM = gettext_lazy(
    "This form belonged to another item, so nothing was saved. "
    "What you typed is below: submit again "
    "to decide this item."
)
_TAKEN_BACK = gettext_lazy(
    "You have undone this decision, so it was not saved again. Submit again to make it a new "
    "decision."
)
_GARBLED = gettext_lazy(
    "Some characters cannot be stored and are shown as \ufffd. Replace or remove them."
)

_DECIDE_ERRORS = (
    StaleSubmission,
    FieldsRefused,
    AnnotationGone,
    DecisionIdTaken,
)


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def decide_annotation(request: Request, pk: int) -> HttpResponse:
    """Record the decision and go on to the next item, or show the form with what is wrong."""
    label = request.POST.get("label") or request.POST.get("choice", "")
    annotation, used_label = get_for_decision_or_404(pk, label=label)
    set_subject(annotation.ref)

    form = DecisionForm(request.POST, annotation=annotation)
    data = posted_data(request.POST)
    for name in undecodable_fields(request) & {*FIELDS, "choice"}:
        form.add_error(name, _GARBLED)

    if not form.is_valid():
        return render_item(request, get_item_or_404(pk), data, status=422, errors=form.errors)
    if form.is_old:
        item = get_item_or_404(pk)
        data = upgraded_form_data(data, item)
        return render_item(request, item, data, status=409, notice=OLD_FORM_NOTICE)

    submission = form.submission(hold=request.user.hold)
    label = submission.label
    # The person has seen it, or somebody has used it, or the person has confirmed it.
    is_known = label in {submission.base["label"], used_label, data["new_label"]}
    needs_check = not is_known and not submission.is_undecidable
    if needs_check and is_new_label(annotation, label):
        item = get_item_or_404(pk)
        errors = {"label": [new_label_question(label)]}
        return render_item(request, item, data, status=422, errors=errors, new_label=label)

    try:
        decision = _decide(pk, submission, request.user)
    except _DECIDE_ERRORS as error:
        return _error_response(request, get_item_or_404(pk), data, error)

    if not submission.is_recorded_in(decision):
        return _redisplay_with_new_id(request, get_item_or_404(pk), data, str(_ID_USED))
    return _saved_response(request, annotation, decision, submission)


def _decide(pk: int, submission: Submission, actor: User) -> Decision:
    """Call `services.decide`; an id that another person used counts as unused.

    So no answer reveals that the other person's decision exists.
    """
    try:
        return services.decide(pk, submission, actor=actor)
    except IdTakenByOtherPerson:
        # Derived, so that the same form sent again is still the same decision.
        own_id = uuid.uuid5(submission.decision_id, f"person {actor.pk}")
        draft = drafts_services.own(pk, actor)
        if draft is not None and draft.decision_id == submission.decision_id:
            submission = replace(submission, draft=draft.edition)
        submission = replace(submission, decision_id=own_id)
        return services.decide(pk, submission, actor=actor)


def _error_response(
    request: Request,
    item: Annotation,
    data: dict[str, Any],
    error: Exception,
) -> HttpResponse:
    """Map an error of `services.decide` to status and message, with the form as it was typed."""
    match error:
        case StaleSubmission():
            stale = compare_sides(error, data, viewer=request.user.get_username())
            data = rebased_form_data(data, error, item)
            return render_item(request, item, data, status=409, stale=stale)
        case FieldsRefused():
            errors = {name: [sentence] for name, sentence in error.errors.items()}
            return render_item(request, item, data, status=422, errors=errors)
        case AnnotationGone():
            return render_item(request, item, data, status=409, notice=_GONE)
        case IdTakenByOtherItem():
            return _redisplay_with_new_id(request, item, data, str(_ID_OF_OTHER_ITEM))
        case TakenBack():
            return _redisplay_with_new_id(request, item, data, str(_TAKEN_BACK))
    return _redisplay_with_new_id(request, item, data, str(_ID_USED))


def _redisplay_with_new_id(
    request: Request,
    item: Annotation,
    data: Mapping[str, Any],
    notice: str,
) -> HttpResponse:
    data = {**data, **new_decision_data(item)}
    return render_item(request, item, data, status=409, notice=notice)


def merged_sentence(decision: Decision, submission: Submission) -> str:
    """Return a sentence for the values that stay as somebody else set them; "" for none."""
    if decision.outcome == Decision.Outcome.UNDECIDABLE:
        return ""

    fields = submission.merged_fields(decision)
    if not fields:
        return ""

    by = _merged_author(decision, fields)
    if fields == ["confidence"]:
        confidence = number(decision.annotation.confidence) or _("blank")
        return _(" The confidence stays %(confidence)s: %(by)s changed it while you worked.") % {
            "confidence": confidence,
            "by": by,
        }
    if len(fields) == 1:
        return _(" The %(value)s stays as it is: %(by)s changed it while you worked.") % {
            "value": fields[0],
            "by": by,
        }
    return _(" The %(value)s stay as they are: %(by)s changed them while you worked.") % {
        "value": get_text_list(fields, _("and")),
        "by": by,
    }


def _merged_author(decision: Decision, fields: Sequence[str]) -> str:
    """Return who changed the merged fields.

    That is the person of the previous decision, unless that one had other values.
    """
    current = decision.annotation.values()
    current |= {name: getattr(decision, name) for name in SHARED_FIELDS}

    previous = Decision.objects.before(decision).first()
    if previous is None:
        return _("another key at Mixpeek")
    if not all(is_same_json(getattr(previous, name), current[name]) for name in fields):
        return _("another key at Mixpeek")
    if previous.reviewer_id == decision.reviewer_id:
        return _("you, in another tab,")
    return previous.reviewer.get_username()


def _saved_response(
    request: Request, annotation: Annotation, decision: Decision, submission: Submission
) -> HttpResponse:
    merged = merged_sentence(decision, submission)
    queue_filter = QueueFilter.parse(request.GET)
    if wants_json(request):
        progress = get_progress(queue_filter, request.user, now=timezone.now())
        message = f"{_('Saved.')} {progress.sentence()}{merged}"
        return _json_saved(request, annotation, message, progress=progress)

    # The next page counts what is left and adds it to a message with this tag.
    messages.success(request, f"{_('Saved.')}{merged}", extra_tags="left")
    # A list of decided items is shown again: nobody is to submit the next of them by reflex.
    return redirect_to_next(request, queue_filter, annotation, only_waiting=True)


def _json_saved(
    request: Request, annotation: Annotation, message: str, *, progress: ReviewProgress
) -> HttpResponse:
    """Answer a script, which shows the next item itself.

    If it sends `next`, the item that it shows by now (maybe ""), the answer has the parts of the
    page that have changed, and the name of who else has that item open, "" for nobody.
    """
    saved: dict[str, Any] = {"state": "saved", "said": message}
    if "next" not in request.POST:
        return JsonResponse(saved)

    now = timezone.now()
    shown = annotation
    next_pk = parse_whole_number(request.POST["next"])
    if next_pk:
        shown = get_object_or_404(Annotation.objects.only("status"), pk=next_pk)

    surroundings = load_surroundings(shown.pk, request.user)
    context = {
        "annotation": shown,
        "here": QueueFilter.parse(request.GET).querystring(),
        "said": message,
        "progress": progress,
        "lease_minutes": lease_minutes(),
        **person_context(request.user, surroundings),
    }
    templates = ["_progress.html", "_undo.html", "_recent_list.html"]
    if next_pk:
        lease = leases.take_if_free(shown, request.user, surroundings.lease, now=now)
        context["lease"] = lease
        context["held_by"] = saved["held_by"] = held_by(lease, request.user, now=now)
        templates.append("_lease.html")

    parts = []
    for template in templates:
        parts.append(render_to_string(f"annotations/{template}", context, request))
    return JsonResponse({**saved, "parts": parts})


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def skip(request: Request, pk: int) -> HttpResponse:
    """Leave the item to somebody else."""
    message = _("Skipped. It stays in the queue for others.")
    return _put_aside(request, pk, SetAside.Kind.SKIPPED, message)


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def defer(request: Request, pk: int) -> HttpResponse:
    """Put the item off until this person resumes it."""
    message = _("Deferred. You find it under Deferred.")
    return _put_aside(request, pk, SetAside.Kind.DEFERRED, message)


def _put_aside(request: Request, pk: int, kind: SetAside.Kind, message: str) -> HttpResponse:
    annotation = get_item_or_404(pk)
    form = AsideForm(request.POST)
    if not form.is_valid():
        data = initial_data(annotation, now=timezone.now())
        typed = request.POST.get("reason", "")
        return render_item(
            request, annotation, data, status=422, errors=form.errors, skip_reason=typed
        )

    reason = form.cleaned_data["reason"]
    decide_skip.put_aside(annotation, kind, actor=request.user, reason=reason)

    queue_filter = QueueFilter.parse(request.GET)
    if wants_json(request):
        progress = get_progress(queue_filter, request.user, now=timezone.now())
        return _json_saved(request, annotation, message, progress=progress)
    messages.success(request, message)
    return redirect_to_next(request, queue_filter, annotation)


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def resume_item(request: Request, pk: int) -> HttpResponse:
    """Take up what this person has skipped or deferred."""
    annotation = get_object_or_404(Annotation, pk=pk)
    if decide_skip.resume_set_aside(annotation, actor=request.user):
        messages.success(request, _("Back in your queue."))
    return redirect_to_item(QueueFilter.parse(request.GET), pk)


@require_POST
@permission_required("annotations.decide_annotation", raise_exception=True)
def judge_result(request: Request, pk: int) -> HttpResponse:
    """Redirect to the item in which this result is judged for its own query, created if missing."""
    results = Result.objects.filter(execution__isnull=False)
    result = get_object_or_404(results.select_related("execution__retriever"), pk=pk)
    annotation = create.get_or_create_item(result, actor=request.user)
    return redirect("review", annotation.pk)
