"""The history page for leads, and its CSV export."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from reviewapp.audit.filters import NO_PERSON, EventFilter, HistoryForm
from reviewapp.audit.first_page import SIZE, Shown, filter_choices, newest_page
from reviewapp.audit.presenters.csv_export import export_lines
from reviewapp.audit.presenters.file_downloads import stream_file
from reviewapp.audit.presenters.folded_entries import fold_runs
from reviewapp.audit.presenters.timeline import Entry, build_entries
from reviewapp.audit.querysets import NEWEST_FIRST
from reviewapp.audit.registry import find_delivery_states, find_titles
from reviewapp.audit.totals import count_events
from reviewapp.web import pagination
from reviewapp.web.http import render_page_or_fragment

if TYPE_CHECKING:
    from reviewapp.web.http import Request

# A page whose events fold into fewer lines is read again with so many events.
_FEW_LINES = 20
_MAX_FOLDED = 500


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
    page, entries = _load_entries(event_filter, cursor)
    if page.is_fallback:
        cursor = ""
        context["lost"] = True

    decision_ids = {entry.decision_id for entry in entries if entry.decision_id is not None}
    context |= {
        "event_filter": event_filter,
        "entries": entries,
        "runs": fold_runs(entries),
        "retriever_names": choices.retriever_names,
        "deliveries": find_delivery_states(decision_ids),
        "titles": find_titles({entry.ref for entry in entries}),
        "shown": Shown.ALL if event_filter.action else Shown(event_filter.show),
        # A file holds what the page shows, also where that is a default.
        "file_query": urlencode(
            {**event_filter.parameters(), "show": event_filter.show}, doseq=True
        ),
        "kinds": [(event_filter.querystring(show=kind), kind) for kind in Shown],
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


def _load_entries(
    event_filter: EventFilter,
    cursor: str,
) -> tuple[pagination.Page[Any], list[Entry]]:
    """Return a page and its entries; of long runs, which are folded, a page holds more events."""
    for size in (SIZE, _MAX_FOLDED):
        page = pagination.page_or_first(partial(_load_page, event_filter, size), cursor)
        entries = build_entries(page.rows)
        if len(page.rows) < size or len(fold_runs(entries)) >= _FEW_LINES:
            break
    return page, entries


def _load_page(event_filter: EventFilter, size: int, cursor: str) -> pagination.Page[Any]:
    if event_filter.is_narrowed:
        events = event_filter.events()
        return pagination.page(events, order=NEWEST_FIRST, cursor=cursor, size=size)
    return newest_page(cursor, shown=event_filter.show, size=size)


@require_safe
@permission_required("audit.view_event", raise_exception=True)
def history_totals(request: Request) -> HttpResponse:
    """Show how many of the matching events are of each person and action."""
    form = HistoryForm(request.GET, choices=filter_choices())
    context: dict[str, object] = {"form": form, "totals": None}
    if not form.is_valid():
        return render(request, "audit/history_totals.html", context, status=422)

    event_filter = form.event_filter()
    counted = count_events(event_filter.events())
    rows = []
    for total in counted.totals:
        person = NO_PERSON if total.actor_id is None else str(total.actor_id)
        here = event_filter.querystring(person=(person,), action=total.action)
        rows.append((total, here))
    context |= {
        "totals": rows,
        "event_filter": event_filter,
        "count": counted.count,
        "is_cut": counted.is_cut,
    }
    return render(request, "audit/history_totals.html", context)


@require_safe
@permission_required("audit.view_event", raise_exception=True)
def history_csv(request: Request) -> HttpResponseBase:
    """Stream every event that matches the filters as a CSV file; without `show`, everybody's.

    429 if the person downloads too many files at once.
    """
    data = request.GET.copy()
    data.setdefault("show", Shown.ALL)
    form = HistoryForm(data, choices=filter_choices())
    if not form.is_valid():
        message = ""
        for label, error in form.errors_by_label().items():
            message += f"{label}: {error}\n"
        return HttpResponse(message, status=422, content_type="text/plain; charset=utf-8")

    response = stream_file(
        request,
        export_lines(form.event_filter().events()),
        filename=f"history-{timezone.now():%Y-%m-%d-%H%M}.csv",
        content_type="text/csv; charset=utf-8",
    )
    response["Cache-Control"] = "no-store"
    return response
