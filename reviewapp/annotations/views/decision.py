"""The page of one decision: its permalink from the item, the history and the deliveries."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from reviewapp.annotations.models import Decision
from reviewapp.annotations.review.decision_record import load_decision_record
from reviewapp.retrievers.guidance.markdown import render_markdown
from reviewapp.web.http import Request


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def decision(request: Request, pk: int) -> HttpResponse:
    """Show a decision as it was made, and what came of it."""
    record = load_decision_record(pk)
    if record is None:
        raise Http404

    guidelines = record.decision.guidelines
    guidelines_html = ""
    if guidelines is not None:
        guidelines_html = render_markdown(guidelines.text)
    context = {"item": record, "guidelines_html": guidelines_html}
    return render(request, "annotations/decision.html", context)


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def decision_by_id(request: Request, decision_id: UUID) -> HttpResponse:
    """Redirect to the page of the decision with this id, which Mixpeek and changes name."""
    found = get_object_or_404(Decision.objects.only("pk"), decision_id=decision_id)
    return redirect("decision", found.pk)
