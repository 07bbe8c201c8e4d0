"""Tell the polling review page that its item has changed, and merge the change into its form."""

from __future__ import annotations

import json

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from reviewapp.annotations.decide.changed_since import base_digest, changes_since
from reviewapp.annotations.decide.conflicts import (
    compare_sides,
    merge_unsubmitted,
    rebased_form_data,
)
from reviewapp.annotations.decide.form_base import read_base
from reviewapp.annotations.decide.forms import DecisionForm, posted_data, unanswered_fields
from reviewapp.annotations.drafts.sign_in_gate import or_sign_in
from reviewapp.annotations.fields import FIELDS
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.views.navigation import get_item_or_404
from reviewapp.annotations.views.review import render_item
from reviewapp.outbox.status.page_updates import with_updates
from reviewapp.web.http import Request

# What the digest is computed from, and the status.
_COLUMNS = (*FIELDS, "decision_id", "status")
_NO_CONTENT = 204
_UP_TO_DATE = gettext_lazy("The form now holds the current values. What only you changed is kept.")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("annotations.view_annotation", raise_exception=True)
def check_for_changes(request: Request, pk: int) -> HttpResponse:
    """Answer 204 while the item still has the digest `seen`.

    Else answer with a fragment that posts the form's base here, and to that POST with the changes.
    """
    if request.method == "POST":
        return _changes_response(request, pk)

    annotation = get_object_or_404(Annotation.objects.only(*_COLUMNS), pk=pk)
    is_unchanged = base_digest(annotation.seen()) == request.GET.get("seen")
    if is_unchanged and annotation.status != Annotation.Status.GONE:
        return with_updates(request, HttpResponse(status=_NO_CONTENT))

    context = {"annotation": annotation, "asks": True, "here": _querystring(request)}
    response = render(request, "annotations/_news.html", context)
    return with_updates(request, response)


def _changes_response(request: Request, pk: int) -> HttpResponse:
    annotation = get_item_or_404(pk)
    try:
        base = read_base(request.POST.get("base", ""), annotation)
        changes = changes_since(annotation, base, viewer=request.user.get_username())
    except ValidationError:
        # The form is damaged; submitting it says so.
        changes = None

    context = {
        "annotation": annotation,
        "news": changes,
        "seen": base_digest(annotation.seen()),
        "here": _querystring(request),
    }
    response = render(request, "annotations/_news.html", context)
    if changes:
        response["HX-Trigger"] = json.dumps({"say": changes.sentence()})
    return response


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def catch_up(request: Request, pk: int) -> HttpResponse:
    """Merge the current annotation into the form: theirs where only they changed a field.

    Where both sides changed it, the form asks whose value to keep.
    """
    annotation = get_item_or_404(pk)
    form = DecisionForm(request.POST, annotation=annotation, is_submitted=False)
    data = posted_data(request.POST)
    if not form.is_valid():
        response = render_item(request, annotation, data, status=422, errors=form.errors)
        return _without_push_url(response)

    unanswered = unanswered_fields(data)
    stale = merge_unsubmitted(form.submission(), annotation, unanswered=unanswered)
    comparison = compare_sides(stale, data, viewer=request.user.get_username())
    data = rebased_form_data(data, stale, annotation)
    if stale.conflicts:
        response = render_item(request, annotation, data, stale=comparison)
        return _without_push_url(response)

    response = render_item(request, annotation, data, notice=_UP_TO_DATE)
    response["HX-Trigger"] = json.dumps({"say": str(_UP_TO_DATE)})
    return _without_push_url(response)


def _without_push_url(response: HttpResponse) -> HttpResponse:
    """Keep the browser's URL and history: only the form is swapped."""
    del response["HX-Push-Url"]
    return response


def _querystring(request: Request) -> str:
    return QueueFilter.parse(request.GET).querystring()
