"""The history page for leads, and its CSV export."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from reviewapp.audit.csv_export import export_lines
from reviewapp.audit.filters import EventFilter, HistoryForm
from reviewapp.audit.first_page import SIZE, filter_choices, newest_page
from reviewapp.audit.presenters.timeline import build_entries
from reviewapp.audit.querysets import NEWEST_FIRST
from reviewapp.audit.registry import find_titles
from reviewapp.web import pagination
from reviewapp.web.http import render_page_or_fragment

if TYPE_CHECKING:
    from reviewapp.web.http import Request


@require_safe
@permission_required("audit.view_event", raise_exception=True)
def history(request: Request) -> HttpResponse:
    """Show one page of events; invalid filters get a 422 with their errors."""
    choices = filter_choices()
    form = HistoryForm(request.GET, choices=choices)
    context: dict[str, object] = {"form": form}
    if not form.is_valid():
        context["event_filter"] = None
        return render_page_or_fragment(
            "audit/_events.html", request, "audit/history.html", context, status=422
        )

    event_filter = form.event_filter()
    cursor = request.GET.get("cursor", "")
    page = pagination.page_or_first(lambda cursor: _load_page(event_filter, cursor), cursor)
    if page.is_fallback:
        cursor = ""
        context["lost"] = True

    entries = []
    for entry in build_entries(page.rows):
        retriever_name = choices.retriever_names.get(entry.retriever_id, entry.retriever_id)
        entries.append((entry, retriever_name))

    context |= {
        "event_filter": event_filter,
        "entries": entries,
        "titles": find_titles({entry.ref for entry, _ in entries}),
        "here": event_filter.querystring(),
        "pager": pagination.PageLinks(
            page=page,
            path=request.path,
            parameters=event_filter.parameters(),
        ),
    }
    response = render_page_or_fragment("audit/_events.html", request, "audit/history.html", context)

    # htmx shows the clean address of these events, and announces their number to screen readers.
    count = len(page.rows)
    message = _("No events")
    if count:
        message = ngettext("%(count)s event shown", "%(count)s events shown", count) % {
            "count": count
        }
    response["HX-Push-Url"] = request.path + event_filter.querystring(cursor=cursor)
    response["HX-Trigger"] = json.dumps({"say": message})
    return response


def _load_page(event_filter: EventFilter, cursor: str) -> pagination.Page[Any]:
    if event_filter.is_narrowed:
        events = event_filter.events()
        return pagination.page(events, order=NEWEST_FIRST, cursor=cursor, size=SIZE)
    return newest_page(cursor)


@require_safe
@permission_required("audit.view_event", raise_exception=True)
def history_csv(request: Request) -> HttpResponseBase:
    """Stream every event that matches the filters as a CSV file."""
    form = HistoryForm(request.GET, choices=filter_choices())
    if not form.is_valid():
        message = ""
        for label, error in form.errors_by_label().items():
            message += f"{label}: {error}\n"
        return HttpResponse(message, status=422, content_type="text/plain; charset=utf-8")

    filename = f"history-{timezone.now():%Y-%m-%d-%H%M}.csv"
    response = StreamingHttpResponse(
        export_lines(form.event_filter().events()),
        content_type="text/csv; charset=utf-8",
    )
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Cache-Control"] = "no-store"
    return response
