"""The list of retrievers."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from reviewapp.audit.models import Event
from reviewapp.retrievers.editing.bulk_tags import MAX_RETRIEVERS
from reviewapp.retrievers.editing.selection import selection_on_page
from reviewapp.retrievers.editing.tag_text import quote_tag
from reviewapp.retrievers.filters import RetrieverFilter
from reviewapp.retrievers.models import Execution, Retriever
from reviewapp.retrievers.views.editing import WAITING_CAP, view_permission_required
from reviewapp.retrievers.views.paging import load_page
from reviewapp.web.http import Request, render_page_or_fragment
from reviewapp.web.pagination import PageLinks


@require_safe
@view_permission_required
def retrievers(request: Request) -> HttpResponse:
    """List retrievers with waiting items, last execution and last edit; keep the selection."""
    retriever_filter = RetrieverFilter.parse(request.GET)
    queryset = retriever_filter.retrievers()
    queryset = queryset.with_waiting(WAITING_CAP).with_last_execution().with_last_edit()
    page = load_page(queryset, order=retriever_filter.order, request=request)

    execution_keys = [row.last_execution for row in page.rows if row.last_execution]
    executions = Execution.objects.in_bulk(execution_keys)
    edit_keys = [row.last_edit for row in page.rows if row.last_edit]
    edits = Event.objects.newest().in_bulk(edit_keys)

    selection = None
    parameters: dict[str, Any] = {**retriever_filter.parameters()}
    if request.user.has_perm("retrievers.change_retriever"):
        selection = selection_on_page(page.rows, request.GET)
        for name in ("pk", "add", "remove"):
            parameters[name] = [value for value in request.GET.getlist(name) if value]

    rows = []
    for row in page.rows:
        rows.append((row, executions.get(row.last_execution), edits.get(row.last_edit)))

    tags_in_use = Retriever.objects.tags_in_use()
    context = {
        "rows": rows,
        "page": page,
        "q": request.GET.get("q", "")[:200],
        "tag": retriever_filter.tag,
        "sort": retriever_filter.sort,
        "tags_in_use": tags_in_use,
        "tag_options": [quote_tag(tag) for tag in tags_in_use],
        "cap": WAITING_CAP,
        "picks": selection,
        "may_pick": bool(selection and (page.rows or selection.total)),
        "most_picked": MAX_RETRIEVERS,
        "add": ", ".join(request.GET.getlist("add")),
        "remove": ", ".join(request.GET.getlist("remove")),
        "unpicked": retriever_filter.querystring(),
        "pager": PageLinks(page=page, path=request.path, parameters=parameters),
    }
    return render_page_or_fragment(
        "retrievers/_retrievers.html", request, "retrievers/retrievers.html", context
    )
