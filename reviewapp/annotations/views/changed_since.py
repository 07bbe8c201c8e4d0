"""What the review page asks every few seconds: has somebody changed this item? And bringing it into the form."""

from __future__ import annotations

import json

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from reviewapp.annotations.decide.changed_since import digest, news
from reviewapp.annotations.decide.conflicts import caught_up, compare, refreshed
from reviewapp.annotations.decide.forms import DecisionForm, read_base, unanswered
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.views.navigation import item_or_404
from reviewapp.annotations.views.review import show
from reviewapp.annotations.views.sign_in_gate import or_sign_in
from reviewapp.outbox.status.banner import with_banner
from reviewapp.web.http import Request

_SEEN = ("label", "confidence", "reasoning", "payload", "decision_id", "status")
_NOTHING = 204
_BROUGHT = "This is the annotation as it is now. What you had typed stays where only you changed it."


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("annotations.view_annotation", raise_exception=True)
def ask(request: Request, pk: int) -> HttpResponse:
    """Answer 204 while the item is as `seen` (a digest) says; else have the form's base sent here and tell the news."""
    if request.method == "POST":
        return _tell(request, pk)
    row = get_object_or_404(Annotation.objects.only(*_SEEN), pk=pk)
    if digest(row.seen()) == request.GET.get("seen") and row.status != Annotation.Status.GONE:
        return with_banner(request, HttpResponse(status=_NOTHING))
    context = {"annotation": row, "asks": True, **_here(request)}
    return with_banner(request, render(request, "annotations/_news.html", context))


def _tell(request: Request, pk: int) -> HttpResponse:
    row = item_or_404(pk)
    try:
        found = news(row, read_base(request.POST.get("base", "")), viewer=request.user.get_username())
    except ValidationError:
        # A damaged form gets no news; submitting it says what is wrong with it.
        found = None
    context = {"annotation": row, "news": found, "seen": digest(row.seen()), **_here(request)}
    response = render(request, "annotations/_news.html", context)
    if found:
        response["HX-Trigger"] = json.dumps({"say": found.sentence()})
    return response


@require_POST
@or_sign_in
@permission_required("annotations.decide_annotation", raise_exception=True)
def catch_up(request: Request, pk: int) -> HttpResponse:
    """Show the form again from the item as it is now: theirs where only they changed it, a question where both did."""
    annotation = item_or_404(pk)
    form = DecisionForm(request.POST, annotation=annotation)
    data = {name: request.POST.get(name, "") for name in form.fields}
    if not form.is_valid():
        return _here_still(show(request, annotation, data, status=422, errors=form.errors))
    submission = form.submission()
    stale = caught_up(submission, annotation, asked=unanswered(data))
    asks = compare(stale, data, viewer=request.user.get_username())
    data = refreshed(data, stale, annotation)
    if stale.conflicts:
        return _here_still(show(request, annotation, data, stale=asks))
    response = _here_still(show(request, annotation, data, notice=_BROUGHT))
    response["HX-Trigger"] = json.dumps({"say": _BROUGHT})
    return response


def _here_still(response: HttpResponse) -> HttpResponse:
    """Only the form is swapped: the address stays, and no step is added to go back."""
    del response["HX-Push-Url"]
    return response


def _here(request: Request) -> dict[str, str]:
    return {"here": QueueFilter.parse(request.GET).querystring()}
