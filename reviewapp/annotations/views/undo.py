"""Undo: take one's last decision back while it is held; later, see what a new decision would set back."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.annotations.decide import undo as decide_undo
from reviewapp.annotations.decide.undo_form import to_undo
from reviewapp.annotations.models import Decision
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.review.context import load, undoable
from reviewapp.annotations.views.review import show
from reviewapp.web.http import Request, wants_fragment

_BACK = "Taken back: nothing of it was sent to Mixpeek."


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("annotations.decide_annotation", raise_exception=True)
def undo(request: Request, pk: int) -> HttpResponse:
    """Take a decision of this person back and open its item again; when it is too late, say how to undo it anew."""
    decision = get_object_or_404(Decision.objects.filter(reviewer=request.user), pk=pk)
    if request.method == "GET":
        return _open(request, decision, "undo")
    try:
        decide_undo.undo(pk, actor=request.user)
    except (decide_undo.TooLate, decide_undo.Overtaken):
        annotation = get_object_or_404(load(), pk=decision.annotation_id)
        return show(request, annotation, status=409, **to_undo(annotation, decision))
    messages.success(request, _BACK)
    return _open(request, decision, "again")


@require_safe
@never_cache
@permission_required("annotations.decide_annotation", raise_exception=True)
def last(request: Request) -> HttpResponse:
    """Show the button that undoes what this person did last; it asks again by itself when the hold ends."""
    chosen = QueueFilter.parse(request.GET)
    if not wants_fragment(request):
        return redirect(reverse("queue") + chosen.querystring())
    context = {"here": chosen.querystring(), "whole": bool(request.GET.get("whole"))}
    return render(request, "annotations/_undo.html", undoable(request.user) | context)


def _open(request: Request, decision: Decision, how: str) -> HttpResponse:
    here = QueueFilter.parse(request.GET).querystring()
    address = reverse("review", args=[decision.annotation_id])
    return redirect(f"{address}{here}{'&' if here else '?'}{how}={decision.pk}")
