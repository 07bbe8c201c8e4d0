"""Revert decisions: the preview, the progress with a result for each item, and the answers."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reviewapp.annotations.decisions.filters import DecisionsForm
from reviewapp.annotations.models import Decision, Revert, RevertedDecision
from reviewapp.annotations.querysets import DecisionQuerySet
from reviewapp.annotations.reverts import services
from reviewapp.annotations.reverts.forms import AnswerForm, ReasonForm, RevertForm
from reviewapp.annotations.reverts.plan import Effect
from reviewapp.annotations.views.decisions import render_corrections
from reviewapp.annotations.views.jobs.progress import job_context
from reviewapp.web.http import Request, parse_whole_number, render_page_or_fragment

_MAX_LISTED = 50

may_revert = permission_required(services.PERMISSION, raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@may_revert
def new_revert(request: Request) -> HttpResponse:
    """Preview reverting the decisions of a filter, or one of them; POST starts it."""
    matching = _chosen_decisions(request)
    if matching is None:
        return render(request, "annotations/revert_preview.html", {"wrong": True}, status=422)

    preview = services.preview(matching, listed=_MAX_LISTED)
    form = ReasonForm()
    if request.method == "POST":
        form = RevertForm(request.POST)
        is_ready = form.is_valid() and preview.keys and not preview.is_too_many
        if is_ready and form.cleaned_data["shown"] == preview.digest:
            revert = services.start(
                preview.keys,
                reason=form.cleaned_data["reason"],
                query=request.GET.urlencode(),
                actor=request.user,
            )
            return redirect("revert", revert.pk)
        if is_ready:
            form.add_error(None, _("Other decisions match by now. Look at the preview again."))

    context = {
        "form": form,
        "count": len(preview.keys),
        "shown": preview.digest,
        "counts": [(effect, preview.counts[effect]) for effect in Effect if preview.counts[effect]],
        "possible": preview.possible,
        "plans": preview.newest,
        "is_too_many": preview.is_too_many,
        "most": services.MAX_DECISIONS,
        "here": f"?{request.GET.urlencode()}",
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "annotations/revert_preview.html", context, status=status)


@require_safe
@never_cache
@may_revert
def reverts(request: Request) -> HttpResponse:
    """List the last reverts."""
    listed = Revert.objects.select_related("actor").annotate(Count("items")).order_by("-pk")
    return render(request, "annotations/reverts.html", {"reverts": listed[:_MAX_LISTED]})


@require_safe
@never_cache
@permission_required("annotations.view_annotation", raise_exception=True)
def revert(request: Request, pk: int) -> HttpResponse:
    """Show how far a revert got, and the result of each item; the part polls until it ends."""
    return _render_revert(request, pk, ReasonForm())


def _render_revert(
    request: Request,
    pk: int,
    form: ReasonForm,
    *,
    status: int = 200,
) -> HttpResponse:
    """Render a revert with the form that reverts it; raises `PermissionDenied`."""
    batch = get_object_or_404(Revert.objects.select_related("actor", "reverts", "batch"), pk=pk)
    services.require_permission(batch.batch, request.user)
    items = batch.items.select_related("decision__annotation", "decision__reviewer", "replacement")
    context = job_context(request, items, Effect, url=reverse("revert", args=[pk]))
    context |= {
        "revert": batch,
        "form": form,
        "is_revertible": bool(batch.finished_at and context["done"]),
    }
    return render_page_or_fragment(
        "annotations/_revert.html", request, "annotations/revert.html", context, status=status
    )


@require_POST
@permission_required("annotations.view_annotation", raise_exception=True)
def revert_again(request: Request, pk: int) -> HttpResponse:
    """Revert an earlier revert; without a valid reason, show it again with what was typed."""
    earlier = get_object_or_404(Revert.objects.select_related("batch"), pk=pk)
    services.require_permission(earlier.batch, request.user)
    if earlier.finished_at is None:
        raise Http404
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _render_revert(request, pk, form, status=422)
    newer = services.start_again(earlier, reason=form.cleaned_data["reason"], actor=request.user)
    return redirect("revert", newer.pk)


@require_POST
@permission_required("annotations.view_annotation", raise_exception=True)
def answer_revert(request: Request, pk: int) -> HttpResponse:
    """Keep what the person whose decision was reverted says to it.

    An answer that is not valid is shown again beside the revert.
    """
    form = AnswerForm(request.POST)
    if not form.is_valid():
        own = RevertedDecision.objects.of_person(request.user.pk)
        item = get_object_or_404(own, pk=pk)
        return render_corrections(request, request.user, answered=item, form=form, status=422)
    try:
        services.answer(pk, form.cleaned_data["answer"], actor=request.user)
    except RevertedDecision.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("Your answer is saved. The lead sees it beside the revert."))
    return redirect("corrections_of_person", request.user.pk)


def _chosen_decisions(request: Request) -> DecisionQuerySet | None:
    """Return the decisions that the query string names; None for an invalid filter.

    Without a filter it is invalid too: nobody means to revert every decision.
    """
    if "decision" in request.GET:
        key = parse_whole_number(request.GET["decision"]) or 0
        return Decision.objects.filter(pk=key)

    form = DecisionsForm(request.GET)
    if not form.is_valid() or not form.decision_filter().is_narrowed:
        return None
    return form.decision_filter().decisions()
