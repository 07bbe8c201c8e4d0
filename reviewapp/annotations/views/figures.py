"""Figures of decisions: of everybody's for leads, and each person's own."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from reviewapp.annotations.figures.counts import count_decisions, first_decision_at
from reviewapp.annotations.figures.deliveries import count_deliveries
from reviewapp.annotations.figures.filters import Breakdown, FiguresForm
from reviewapp.annotations.figures.tables import Figure, figure_as_csv
from reviewapp.annotations.figures.waiting import count_waiting
from reviewapp.web.http import Request


@require_safe
@permission_required("audit.view_event", raise_exception=True)
def figures(request: Request) -> HttpResponse:
    """Show figures of the decisions that match; invalid filters get a 422 with their errors."""
    context = {
        "person": None,
        "breakdowns": list(Breakdown),
        "list_url": reverse("decisions"),
    }
    return _render(request, context)


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def my_figures(request: Request) -> HttpResponse:
    """Show figures of one's own decisions that match, as `figures` does."""
    context = {
        "person": request.user,
        "breakdowns": [Breakdown.OUTCOME, Breakdown.RETRIEVER, Breakdown.LABEL],
        "list_url": reverse("decisions_of_person", args=[request.user.pk]),
    }
    return _render(request, context)


@require_safe
@permission_required("audit.view_event", raise_exception=True)
def figures_csv(request: Request, figure: str) -> HttpResponse:
    """Return a table of figures as CSV; 404 for an unknown one, invalid filters get a 422."""
    if figure not in Figure.values:
        raise Http404
    form = FiguresForm(request.GET)
    if not form.is_valid():
        message = ""
        for label, error in form.errors_by_label().items():
            message += f"{label}: {error}\n"
        return HttpResponse(message, status=422, content_type="text/plain; charset=utf-8")

    content = figure_as_csv(Figure(figure), form)
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="figures-{figure}.csv"'
    return response


def _render(request: Request, context: dict[str, Any]) -> HttpResponse:
    """Render the figures of the matching decisions, of `person` alone unless it is None.

    `breakdowns` are those that the page offers, and `list_url` lists the decisions of a filter.
    """
    query = request.GET.copy()
    if context["person"] is not None:
        query.setlist("person", [str(context["person"].pk)])
    form = FiguresForm(query)
    context |= {"form": form, "figures": None, "decision_filter": None, "waiting": None}
    if not form.is_valid():
        return render(request, "annotations/figures.html", context, status=422)

    decision_filter = form.decision_filter()
    breakdown = form.breakdown
    if breakdown not in context["breakdowns"]:
        breakdown = Breakdown.OUTCOME
    zone = form.time_zone
    periods = form.periods(now=timezone.now(), earliest=first_decision_at())
    context |= {"decision_filter": decision_filter, "breakdown": breakdown, "zone": zone.key}
    context["periods"] = periods
    if periods.periods:
        context["figures"] = count_decisions(decision_filter, periods, breakdown)
        context["deliveries"] = count_deliveries(decision_filter, periods)
    if context["person"] is None:
        context["waiting"] = count_waiting(decision_filter.retriever)
    return render(request, "annotations/figures.html", context)
