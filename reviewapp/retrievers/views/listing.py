"""The list of retrievers."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from reviewapp.audit.models import Event
from reviewapp.retrievers.editing.bulk_tags import MAX_RETRIEVERS
from reviewapp.retrievers.editing.selection import selection_on_page
from reviewapp.retrievers.forms import ListForm
from reviewapp.retrievers.models import Execution, Retriever
from reviewapp.retrievers.views.editing import WAITING_CAP, view_permission_required
from reviewapp.retrievers.views.paging import load_page, pager_links, query_values
from reviewapp.web.http import Request, render_page_or_fragment

_SEARCH_PARAMETERS = ("q", "tag", "sort")
_SELECTION_PARAMETERS = ("pk", "add", "remove")


@require_safe
@view_permission_required
def retrievers(request: Request) -> HttpResponse:
    """List retrievers with waiting items, last execution and last edit; keep the selection."""
    form = ListForm(request.GET)
    queryset = Retriever.objects.matching(form.words()).tagged(form.selected_tag())
    queryset = queryset.with_waiting(WAITING_CAP).with_last_execution().with_last_edit()
    page = load_page(queryset, order=form.order(), request=request)

    execution_keys = [row.last_execution for row in page.rows if row.last_execution]
    executions = Execution.objects.in_bulk(execution_keys)
    edit_keys = [row.last_edit for row in page.rows if row.last_edit]
    edits = Event.objects.newest().in_bulk(edit_keys)

    selection = None
    parameters: tuple[str, ...] = _SEARCH_PARAMETERS
    if request.user.has_perm("retrievers.change_retriever"):
        selection = selection_on_page(page.rows, request.GET)
        parameters += _SELECTION_PARAMETERS

    rows = []
    for row in page.rows:
        rows.append((row, executions.get(row.last_execution), edits.get(row.last_edit)))

    context = {
        "rows": rows,
        "page": page,
        "form": form,
        "q": request.GET.get("q", "")[:200],
        "tag": form.selected_tag(),
        "sort": form.sort(),
        "tags_in_use": Retriever.objects.tags_in_use(),
        "cap": WAITING_CAP,
        "picks": selection,
        "may_pick": bool(selection and (page.rows or selection.total)),
        "most_picked": MAX_RETRIEVERS,
        "add": ", ".join(request.GET.getlist("add")),
        "remove": ", ".join(request.GET.getlist("remove")),
        "unpicked": f"?{urlencode(query_values(request, _SEARCH_PARAMETERS), doseq=True)}",
        **pager_links(page, request, keep=parameters),
    }
    return render_page_or_fragment(
        "retrievers/_retrievers.html", request, "retrievers/retrievers.html", context
    )
