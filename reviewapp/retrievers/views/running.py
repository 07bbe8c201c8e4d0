"""Run a retriever, and show the results of a run."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from reviewapp.retrievers.documents.evidence import document_excerpt, document_title
from reviewapp.retrievers.executions.forms import RunForm
from reviewapp.retrievers.executions.result_items import result_items
from reviewapp.retrievers.models import Execution, Result
from reviewapp.retrievers.services import RetrieverGone, request_execution
from reviewapp.retrievers.views.editing import load, render_retriever, view_permission_required
from reviewapp.retrievers.views.paging import load_page
from reviewapp.web.http import Request, render_page_or_fragment
from reviewapp.web.pagination import PageLinks

_may_run = permission_required("retrievers.run_retriever", raise_exception=True)


@require_POST
@_may_run
def run(request: Request, pk: int) -> HttpResponse:
    """Request a run with the submitted inputs, and redirect to its page."""
    retriever = load(pk)
    form = RunForm(retriever, request.POST)
    if form.is_valid():
        try:
            execution = request_execution(retriever, form.inputs(), actor=request.user)
        except RetrieverGone as error:
            form.add_error(None, str(error))
        else:
            return redirect("execution", execution.pk)
    return render_retriever(request, retriever, form=form, status=422)


@require_safe
@view_permission_required
def execution(request: Request, pk: int) -> HttpResponse:
    """Show the state of a run and its results; the fragment reloads while the run is pending."""
    execution = get_object_or_404(Execution.objects.select_related("retriever"), pk=pk)
    page = load_page(Result.objects.of(execution), order=("rank", "id"), request=request)
    items_by_result = result_items(execution, page.rows)

    rows = []
    for result, items in zip(page.rows, items_by_result, strict=True):
        row = {
            "result": result,
            "title": document_title(result.snapshot),
            "excerpt": document_excerpt(result.snapshot),
            "leads_to": items,
        }
        rows.append(row)

    context = {
        "execution": execution,
        "rows": rows,
        "pager": PageLinks(page=page, path=request.path),
    }
    return render_page_or_fragment(
        "retrievers/_execution.html", request, "retrievers/execution.html", context
    )
