"""Decisions: lists for leads, each person's with what others corrected, and the page of one.

That page is the permalink from the item, the history and the deliveries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from reviewapp.annotations.decisions.corrections import build_corrected_rows, corrected_page
from reviewapp.annotations.decisions.filters import DecisionFilter, DecisionsForm
from reviewapp.annotations.decisions.overrides import (
    LEAST_DECISIONS,
    about_machines_labels,
    count_overrides,
)
from reviewapp.annotations.decisions.rows import build_rows
from reviewapp.annotations.decisions.totals import count_by_person
from reviewapp.annotations.models import Decision, RevertedDecision
from reviewapp.annotations.review.decision_record import load_decision_record
from reviewapp.retrievers.guidance.markdown import render_markdown
from reviewapp.web import pagination
from reviewapp.web.http import Request, render_page_or_fragment

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.reverts.forms import AnswerForm

_PAGE_SIZE = 50
_SEES_EVERYBODYS = "audit.view_event"


@require_safe
@permission_required(_SEES_EVERYBODYS, raise_exception=True)
def decisions(request: Request) -> HttpResponse:
    """Show one page of the decisions that match; invalid filters get a 422 with their errors."""
    form = DecisionsForm(request.GET)
    if not form.is_valid():
        context: dict[str, Any] = {"form": form, "decision_filter": None}
        return render_page_or_fragment(
            "annotations/_decisions.html",
            request,
            "annotations/decisions.html",
            context,
            status=422,
        )

    decision_filter = form.decision_filter()
    context = _list_context(request, decision_filter)
    context |= {"form": form, "decision_filter": decision_filter, "names_people": True}
    response = render_page_or_fragment(
        "annotations/_decisions.html", request, "annotations/decisions.html", context
    )
    cursor = request.GET.get("cursor", "")
    response["HX-Push-Url"] = request.path + decision_filter.querystring(cursor=cursor)
    return response


@require_safe
@permission_required(_SEES_EVERYBODYS, raise_exception=True)
def decision_totals(request: Request) -> HttpResponse:
    """Show how many of the matching decisions are of each person and outcome."""
    form = DecisionsForm(request.GET)
    context: dict[str, Any] = {"form": form, "totals": None}
    if not form.is_valid():
        return render(request, "annotations/decision_totals.html", context, status=422)

    decision_filter = form.decision_filter()
    totals = count_by_person(decision_filter.counted())
    people = []
    for person in totals.people:
        of_person = decision_filter.querystring(person=(str(person.person_id),))
        people.append((person, of_person))
    context |= {"totals": totals, "people": people, "decision_filter": decision_filter}
    return render(request, "annotations/decision_totals.html", context)


@require_safe
@permission_required(_SEES_EVERYBODYS, raise_exception=True)
def overrides(request: Request) -> HttpResponse:
    """Show how often the matching decisions override the machine's labels."""
    form = DecisionsForm(request.GET)
    context: dict[str, Any] = {"form": form, "overrides": None}
    if not form.is_valid():
        return render(request, "annotations/overrides.html", context, status=422)

    decision_filter = form.decision_filter()
    context |= {
        "overrides": count_overrides(decision_filter),
        "decision_filter": decision_filter,
        "about_machine": about_machines_labels(decision_filter),
        "least": LEAST_DECISIONS,
    }
    return render(request, "annotations/overrides.html", context)


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def decisions_of_person(request: Request, pk: int) -> HttpResponse:
    """Show one page of a person's decisions that match: to that person and to leads.

    Invalid filters get a 422 with their errors.
    """
    person = _visible_person(request, pk)
    query = request.GET.copy()
    query.pop("person", None)
    form = DecisionsForm(query)
    context: dict[str, Any] = {"person": person, "form": form, "decision_filter": None}
    status = 422
    if form.is_valid():
        decision_filter = form.decision_filter()
        context |= _list_context(request, decision_filter, person=person)
        context["decision_filter"] = decision_filter
        status = 200
    return render_page_or_fragment(
        "annotations/_decisions.html",
        request,
        "annotations/decisions_of_person.html",
        context,
        status=status,
    )


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def corrections_of_person(request: Request, pk: int) -> HttpResponse:
    """Show one page of a person's decisions that others corrected: to that person and to leads."""
    return render_corrections(request, _visible_person(request, pk))


def render_corrections(
    request: Request,
    person: User,
    *,
    answered: RevertedDecision | None = None,
    form: AnswerForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render one page of a person's corrected decisions, and what leads have reverted.

    `form` is the answer to `answered` that is not valid; it is shown again.
    """

    def load(cursor: str) -> pagination.Page[Any]:
        return corrected_page(person.pk, cursor)

    page = pagination.page_or_first(load, request.GET.get("cursor", ""))
    reverted = list(RevertedDecision.objects.of_person(person.pk)[:_PAGE_SIZE])
    if answered is not None and answered not in reverted:
        reverted.insert(0, answered)
    path = reverse("corrections_of_person", args=[person.pk])
    context = {
        "person": person,
        "rows": build_corrected_rows(page.rows),
        "reverted": reverted,
        "answered": answered,
        "form": form,
        "lost": page.is_fallback,
        "pager": pagination.PageLinks(page=page, path=path),
    }
    return render_page_or_fragment(
        "annotations/_corrections.html",
        request,
        "annotations/corrections_of_person.html",
        context,
        status=status,
    )


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


def _visible_person(request: Request, pk: int) -> User:
    """Return the person whose decisions are read; raises `PermissionDenied` and `Http404`."""
    if pk != request.user.pk and not request.user.has_perm(_SEES_EVERYBODYS):
        raise PermissionDenied
    return get_object_or_404(get_user_model(), pk=pk)


def _list_context(
    request: Request,
    decision_filter: DecisionFilter,
    *,
    person: User | None = None,
) -> dict[str, Any]:
    """Return what `_decisions.html` shows of the page that the cursor names, newest first.

    With a `person`, these are that person's decisions alone.
    """
    matching = decision_filter.decisions().listed()
    if person is not None:
        matching = matching.by_any_of([person.pk])

    def load(cursor: str) -> pagination.Page[Any]:
        return pagination.page(matching, order=["-id"], cursor=cursor, size=_PAGE_SIZE)

    page = pagination.page_or_first(load, request.GET.get("cursor", ""))
    parameters = decision_filter.parameters()
    return {
        "rows": build_rows(page.rows),
        "lost": page.is_fallback,
        "here": decision_filter.querystring(),
        "pager": pagination.PageLinks(page=page, path=request.path, parameters=parameters),
    }
