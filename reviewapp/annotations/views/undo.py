"""One's last decisions, and their undo: after the hold, what a new decision would restore."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.annotations.decide import undo as decide_undo
from reviewapp.annotations.decide.reopened_forms import undo_form
from reviewapp.annotations.models import Decision
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.review.last_actions import last_actions, recent_decisions
from reviewapp.annotations.views.navigation import get_item_or_404
from reviewapp.annotations.views.review import render_item
from reviewapp.web.http import Request, wants_fragment

_UNDONE = gettext_lazy("Undone. Nothing was sent.")
_REVERTED = gettext_lazy("Reverted. Mixpeek will be told that “can't tell” no longer applies.")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("annotations.decide_annotation", raise_exception=True)
def undo_decision(request: Request, pk: int) -> HttpResponse:
    """Undo this person's decision and open its item again.

    When it is too late, show the form with the old values, to be submitted as a new decision.
    """
    decisions = Decision.objects.filter(reviewer=request.user)
    decision = get_object_or_404(decisions, pk=pk)
    if request.method == "GET":
        return _redirect_to_item(request, decision, "undo")

    try:
        decide_undo.undo(pk, actor=request.user)
    except (decide_undo.TooLate, decide_undo.DecidedAgain):
        annotation = get_item_or_404(decision.annotation_id)
        form = undo_form(annotation, decision)
        return render_item(request, annotation, status=409, **form)

    is_told = decision.is_revertible and decide_undo.was_told_to_mixpeek(decision)
    messages.success(request, _REVERTED if is_told else _UNDONE)
    return _redirect_to_item(request, decision, "again")


@require_safe
@never_cache
@permission_required("annotations.decide_annotation", raise_exception=True)
def last_action(request: Request) -> HttpResponse:
    """Render the Undo button of this person's last action; it reloads itself when the hold ends."""
    queue_filter = QueueFilter.parse(request.GET)
    if not wants_fragment(request):
        return redirect(reverse("queue") + queue_filter.querystring())

    context = {
        **last_actions(request.user),
        "here": queue_filter.querystring(),
        "whole": bool(request.GET.get("whole")),
    }
    return render(request, "annotations/_undo.html", context)


@require_safe
@never_cache
@permission_required("annotations.view_annotation", raise_exception=True)
def recent(request: Request) -> HttpResponse:
    """Render the list of this person's last decisions, which reloads when one needs them."""
    queue_filter = QueueFilter.parse(request.GET)
    if not wants_fragment(request):
        return redirect(reverse("queue") + queue_filter.querystring())

    context = {"recent": recent_decisions(request.user), "here": queue_filter.querystring()}
    return render(request, "annotations/_recent_list.html", context)


def _redirect_to_item(request: Request, decision: Decision, parameter: str) -> HttpResponse:
    path = reverse("review", args=[decision.annotation_id])
    querystring = QueueFilter.parse(request.GET).querystring()
    separator = "&" if querystring else "?"
    return redirect(f"{path}{querystring}{separator}{parameter}={decision.pk}")
