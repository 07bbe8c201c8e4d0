"""The list of retrievers, one of them with the form that runs it, and what a run returned."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from reviewapp import keyset
from reviewapp.http import Request, page_or
from reviewapp.retrievers.evidence import excerpt_of, title_of
from reviewapp.retrievers.forms import RunForm, SearchForm
from reviewapp.retrievers.models import Execution, Result, Retriever
from reviewapp.retrievers.services import RetrieverGone, request_execution
from reviewapp.retrievers.stages import readable

WAITING_CAP = 1000
_may_see = permission_required("retrievers.view_retriever", raise_exception=True)
_may_run = permission_required("retrievers.run_retriever", raise_exception=True)


@require_GET
@_may_see
def retrievers(request: Request) -> HttpResponse:
    """List the retrievers by name, with how much waits and when each ran last."""
    search = SearchForm(request.GET)
    words = search.words()
    found = Retriever.objects.named(words).with_waiting(WAITING_CAP).with_last_execution()
    page = _page(found, order=("name", "id"), request=request)
    last = Execution.objects.in_bulk([row.last_execution for row in page.rows if row.last_execution])
    rows = [(row, last.get(row.last_execution)) for row in page.rows]
    context = {"rows": rows, "page": page, "q": request.GET.get("q", "")[:200], "cap": WAITING_CAP}
    return page_or(
        "retrievers/_retrievers.html", request, "retrievers/retrievers.html", context | _around(page, request)
    )


@require_GET
@_may_see
def retriever(request: Request, pk: int) -> HttpResponse:
    """Show what a retriever is, its runs, and (to those who may) the form that runs it."""
    found = get_object_or_404(Retriever.objects.with_waiting(WAITING_CAP), pk=pk)
    like = found.executions.filter(pk=request.GET["like"]).first() if request.GET.get("like", "").isdecimal() else None
    return _retriever_page(request, found, RunForm(found, like=like.inputs if like else None))


@require_POST
@_may_run
def run(request: Request, pk: int) -> HttpResponse:
    """Ask for a run with the inputs given, and go to where its results will be."""
    found = get_object_or_404(Retriever.objects.with_waiting(WAITING_CAP), pk=pk)
    form = RunForm(found, request.POST)
    if form.is_valid():
        try:
            execution = request_execution(found, form.inputs(), actor=request.user)
        except RetrieverGone as error:
            form.add_error(None, str(error))
        else:
            return redirect("execution", execution.pk)
    return _retriever_page(request, found, form, status=422)


@require_GET
@_may_see
def execution(request: Request, pk: int) -> HttpResponse:
    """Show how a run stands, and its results with the way to review each; the fragment asks again while it waits."""
    found = get_object_or_404(Execution.objects.select_related("retriever"), pk=pk)
    page = _page(Result.objects.of(found), order=("rank", "id"), request=request)
    annotations = found.retriever.annotations.filter(document_id__in=[row.document_id for row in page.rows])
    by_document = {row.document_id: row for row in annotations.order_by("-pk")}
    rows = [
        (row, title_of(row.snapshot), excerpt_of(row.snapshot), by_document.get(row.document_id)) for row in page.rows
    ]
    context = {"execution": found, "rows": rows, "page": page} | _around(page, request)
    return page_or("retrievers/_execution.html", request, "retrievers/execution.html", context)


def _retriever_page(request: Request, found: Retriever, form: RunForm, *, status: int = 200) -> HttpResponse:
    page = _page(Execution.objects.of(found), order=("-created_at", "-id"), request=request)
    context = {
        "retriever": found,
        "stages": readable(found.stages),
        "form": form if request.user.has_perm("retrievers.run_retriever") and found.gone_at is None else None,
        "page": page,
        "cap": WAITING_CAP,
    } | _around(page, request)
    if request.htmx and request.htmx.target == "executions":
        return page_or("retrievers/_executions.html", request, "retrievers/retriever.html", context)
    return render(request, "retrievers/retriever.html", context, status=status)


def _page(found: Any, *, order: tuple[str, ...], request: Request) -> keyset.Page[Any]:
    """Return the page the address asks for; a cursor that is none leads to the first."""
    try:
        return keyset.page(found, order=order, cursor=request.GET.get("cursor", ""))
    except keyset.BadCursor:
        messages.info(request, "That page is not there any more; this is the first one.")
        return keyset.page(found, order=order)


def _around(page: keyset.Page[Any], request: Request) -> dict[str, str]:
    """Return the query strings of the pages before and after, which keep the search."""
    kept = {"q": request.GET["q"]} if request.GET.get("q") else {}
    cursors = {"before": page.before, "after": page.after}
    return {name: f"?{urlencode({**kept, 'cursor': cursor})}" if cursor else "" for name, cursor in cursors.items()}
