"""The history page for leads, and the same events as a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from reviewapp.audit.csv_export import lines
from reviewapp.audit.filters import HistoryForm, Wanted
from reviewapp.audit.first_page import SIZE, newest, retriever_names
from reviewapp.audit.models import Event
from reviewapp.audit.presenters.timeline import build_entries
from reviewapp.audit.querysets import NEWEST_FIRST
from reviewapp.web import pagination
from reviewapp.web.http import page_or

if TYPE_CHECKING:
    from reviewapp.web.http import Request


@require_safe
@permission_required("audit.view_event", raise_exception=True)
def history(request: Request) -> HttpResponse:
    """Show one page of what happened; filters that make no sense are answered with 422 and said."""
    names = retriever_names()
    form = HistoryForm(request.GET, retriever_names=names)
    wanted = form.wanted() if form.is_valid() else None
    context: dict[str, object] = {"form": form, "wanted": wanted, "retriever_names": names}
    cursor = request.GET.get("cursor", "")
    if wanted is None:
        return page_or("audit/_events.html", request, "audit/history.html", context, status=422)
    try:
        page = _page(wanted, cursor)
    except pagination.BadCursor:
        cursor, context["lost"] = "", True
        page = _page(wanted, cursor)
    context |= {
        "entries": [(entry, names.get(entry.retriever_id, entry.retriever_id)) for entry in build_entries(page.rows)],
        "here": wanted.querystring(),
        "newer": page.before and wanted.querystring(cursor=page.before),
        "older": page.after and wanted.querystring(cursor=page.after),
    }
    response = page_or("audit/_events.html", request, "audit/history.html", context)
    return _announced(response, wanted, cursor, len(page.rows))


def _page(wanted: Wanted, cursor: str) -> pagination.Page[Event]:
    if wanted.narrowed:
        return pagination.page(wanted.events(), order=NEWEST_FIRST, cursor=cursor, size=SIZE)
    return newest(cursor)


@require_safe
@permission_required("audit.view_event", raise_exception=True)
def history_csv(request: Request) -> HttpResponseBase:
    """Send every event that the filters leave, as a file that is written while it is read."""
    form = HistoryForm(request.GET, retriever_names=retriever_names())
    if not form.is_valid():
        said = "".join(f"{form[name].label}: {' '.join(map(str, found))}\n" for name, found in form.errors.items())
        return HttpResponse(said, status=422, content_type="text/plain; charset=utf-8")
    name = f"history-{timezone.now():%Y-%m-%d-%H%M}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(lines(form.wanted().events()), content_type="text/csv; charset=utf-8", headers=headers)


def _announced(response: HttpResponse, wanted: Wanted, cursor: str, shown: int) -> HttpResponse:
    """Tell htmx the clean address of these events, and say to those who cannot see them how many there are."""
    response["HX-Push-Url"] = reverse("history") + wanted.querystring(cursor=cursor)
    response["HX-Trigger"] = json.dumps({"say": f"{shown} events shown" if shown else "No event to show"})
    return response
