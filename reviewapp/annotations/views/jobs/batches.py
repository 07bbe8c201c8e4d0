"""Decide many items at once: the preview, the progress with a result for each item, the undo."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from reviewapp.annotations.batches import services
from reviewapp.annotations.batches.forms import BatchForm, StartForm
from reviewapp.annotations.batches.plan import BatchEffect
from reviewapp.annotations.batches.selection import BatchSelection, selection_of
from reviewapp.annotations.models import Batch
from reviewapp.annotations.parsing import MAX_REASONING_LENGTH
from reviewapp.annotations.reverts.services import PERMISSION as MAY_SEE_ALL
from reviewapp.annotations.views.jobs.progress import job_context
from reviewapp.web.http import Request, render_page_or_fragment

_MAX_LISTED = 50

may_decide = permission_required("annotations.decide_annotation", raise_exception=True)


@require_POST
@never_cache
@may_decide
def preview_batch(request: Request) -> HttpResponse:
    """Show what the values of the form would do with each selected item; nothing is decided."""
    selection = selection_of(request.POST, request.user)
    form = BatchForm(request.POST)
    status = 200 if form.is_valid() and selection.keys else 422
    return _render_preview(request, form, selection, status=status)


@require_POST
@may_decide
def start_batch(request: Request) -> HttpResponse:
    """Start to decide the items of a preview with its values."""
    form = StartForm(request.POST)
    if not form.is_valid():
        selection = selection_of(request.POST, request.user)
        return _render_preview(request, form, selection, status=422)

    batch = services.start(
        form.entries(),
        form.values(),
        query=form.cleaned_data["query"],
        actor=request.user,
    )
    return redirect("batch", batch.pk)


def _render_preview(
    request: Request, form: BatchForm, selection: BatchSelection, *, status: int
) -> HttpResponse:
    values = services.BatchValues()
    if form.is_valid():
        values = form.values()
    preview = services.preview(selection.keys, values, actor=request.user)
    counts = [(effect, preview.counts[effect]) for effect in BatchEffect if preview.counts[effect]]
    context = {
        "form": form,
        "is_valid": form.is_valid(),
        "preview": preview,
        "count": len(preview.rows),
        "counts": counts,
        "items": " ".join(str(row.pk) for row in preview.rows),
        "is_cut": selection.is_cut,
        "most": services.MAX_ITEMS,
        "most_reasoning": MAX_REASONING_LENGTH,
    }
    return render(request, "annotations/batch_preview.html", context, status=status)


@require_safe
@never_cache
@may_decide
def batches(request: Request) -> HttpResponse:
    """List the last batches: one's own, and everybody's for those who may revert them."""
    listed = Batch.objects.select_related("actor").annotate(Count("items")).order_by("-pk")
    if not request.user.has_perm(MAY_SEE_ALL):
        listed = listed.filter(actor=request.user)
    return render(request, "annotations/batches.html", {"batches": listed[:_MAX_LISTED]})


@require_safe
@never_cache
@may_decide
def batch(request: Request, pk: int) -> HttpResponse:
    """Show how far a batch got, and the result of each item; the part polls until it ends."""
    job = _get_batch(request, pk)
    items = job.items.select_related("annotation", "decision")
    context = job_context(request, items, BatchEffect, url=request.path)
    context |= {"batch": job, "undoing": job.reverts.order_by("pk").first()}
    return render_page_or_fragment(
        "annotations/_batch.html", request, "annotations/batch.html", context
    )


@require_POST
@may_decide
def undo_batch(request: Request, pk: int) -> HttpResponse:
    """Undo all that a batch has decided; a second press leads to the same undo."""
    job = _get_batch(request, pk)
    if job.finished_at is None:
        messages.error(request, _("Wait until it has finished, then undo it."))
        return redirect("batch", pk)
    undoing = services.undo(job, actor=request.user)
    return redirect("revert", undoing.pk)


def _get_batch(request: Request, pk: int) -> Batch:
    """Return a batch of one's own, or anybody's for those who may revert them."""
    job = get_object_or_404(Batch.objects.select_related("actor"), pk=pk)
    if job.actor_id != request.user.pk and not request.user.has_perm(MAY_SEE_ALL):
        raise PermissionDenied(_("Only its person, leads and admins can see a batch."))
    return job
