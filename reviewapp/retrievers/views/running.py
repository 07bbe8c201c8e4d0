"""Run a retriever, and see what a run returned."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from reviewapp.retrievers.documents.evidence import excerpt_of, title_of
from reviewapp.retrievers.executions.result_items import items_of
from reviewapp.retrievers.forms import RunForm
from reviewapp.retrievers.models import Execution, Result
from reviewapp.retrievers.services import RetrieverGone, request_execution
from reviewapp.retrievers.views.editing import load, may_see, show
from reviewapp.retrievers.views.paging import around, page_of
from reviewapp.web.http import Request, page_or

_may_run = permission_required("retrievers.run_retriever", raise_exception=True)


@require_POST
@_may_run
def run(request: Request, pk: int) -> HttpResponse:
    """Ask for a run with the inputs given, and go to where its results will be."""
    found = load(pk)
    form = RunForm(found, request.POST)
    if form.is_valid():
        try:
            execution = request_execution(found, form.inputs(), actor=request.user)
        except RetrieverGone as error:
            form.add_error(None, str(error))
        else:
            return redirect("execution", execution.pk)
    return show(request, found, form=form, status=422)


@require_safe
@may_see
def execution(request: Request, pk: int) -> HttpResponse:
    """Show how a run stands, and its results with the way to review each; the fragment asks again while it waits."""
    found = get_object_or_404(Execution.objects.select_related("retriever"), pk=pk)
    page = page_of(Result.objects.of(found), order=("rank", "id"), request=request)
    rows = [
        {"result": row, "title": title_of(row.snapshot), "excerpt": excerpt_of(row.snapshot), "leads_to": items}
        for row, items in zip(page.rows, items_of(found, page.rows), strict=True)
    ]
    context = {"execution": found, "rows": rows, "page": page} | around(page, request)
    return page_or("retrievers/_execution.html", request, "retrievers/execution.html", context)
