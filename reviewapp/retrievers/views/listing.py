"""The list of retrievers."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from reviewapp.audit.models import Event
from reviewapp.retrievers.editing import selection
from reviewapp.retrievers.editing.bulk_tags import MOST
from reviewapp.retrievers.forms import ListForm
from reviewapp.retrievers.models import Execution, Retriever
from reviewapp.retrievers.views.editing import WAITING_CAP, may_see
from reviewapp.retrievers.views.paging import around, kept_of, page_of
from reviewapp.web.http import Request, page_or

_SEARCH, _PICKING = ("q", "tag", "sort"), ("pk", "add", "remove")


@require_safe
@may_see
def retrievers(request: Request) -> HttpResponse:
    """List the retrievers with how much waits, when each ran last, and who changed it last; picks are carried along."""
    wanted = ListForm(request.GET)
    found = Retriever.objects.matching(wanted.words()).tagged(wanted.wanted_tag())
    found = found.with_waiting(WAITING_CAP).with_last_execution().with_last_edit()
    page = page_of(found, order=wanted.order(), request=request)
    ran = Execution.objects.in_bulk([row.last_execution for row in page.rows if row.last_execution])
    edits = Event.objects.newest().in_bulk([row.last_edit for row in page.rows if row.last_edit])
    may_change = request.user.has_perm("retrievers.change_retriever")
    keeping = (*_SEARCH, *_PICKING) if may_change else _SEARCH
    picks = selection.around(page.rows, request.GET) if may_change else None
    context = {
        "rows": [(row, ran.get(row.last_execution), edits.get(row.last_edit)) for row in page.rows],
        "page": page,
        "form": wanted,
        "q": request.GET.get("q", "")[:200],
        "tag": wanted.wanted_tag(),
        "sort": wanted.wanted_sort(),
        "tags_in_use": Retriever.objects.tags_in_use(),
        "cap": WAITING_CAP,
        "picks": picks,
        "may_pick": bool(picks and (page.rows or picks.total)),
        "most_picked": MOST,
        **{name: ", ".join(request.GET.getlist(name)) for name in ("add", "remove")},
        "unpicked": f"?{urlencode(kept_of(request, _SEARCH), doseq=True)}",
    } | around(page, request, keeping=keeping)
    return page_or("retrievers/_retrievers.html", request, "retrievers/retrievers.html", context)
