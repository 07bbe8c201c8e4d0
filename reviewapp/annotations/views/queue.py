"""The queue page: what waits, what was decided, and what needs care."""

from __future__ import annotations

import json

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from reviewapp.annotations.queue.counts import counts
from reviewapp.annotations.queue.filter_options import facets
from reviewapp.annotations.queue.filters import QueueFilter, Show
from reviewapp.annotations.queue.pages import listed
from reviewapp.annotations.queue.querysets import CAP, why_empty
from reviewapp.annotations.queue.row import line
from reviewapp.annotations.queue.search import look_for
from reviewapp.annotations.review.context import undoable
from reviewapp.web import pagination
from reviewapp.web.http import Request, page_or, wants_fragment


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def queue(request: Request) -> HttpResponse:
    """Show one page of the queue; what the address gets wrong is left out and said."""
    chosen, person = QueueFilter.parse(request.GET), request.user
    problems, found = list(chosen.problems), look_for(chosen, person) if chosen.q else None
    try:
        page = listed(chosen, person, cursor=request.GET.get("cursor", ""), found=found)
    except pagination.BadCursor:
        page = listed(chosen, person, found=found)
        problems.append("That page of the list cannot be found any more: this is the first one.")
    number, now, here = counts(chosen, person, found=found), timezone.now(), chosen.querystring()
    context = {
        "chosen": chosen,
        "page": page,
        "problems": problems,
        "chips": [(show, number[show], chosen.showing(show).querystring()) for show in number],
        "cap": CAP,
        "at_least": found is not None and found.at_least,
        "lines": [line(row, person, here=here, now=now) for row in page.rows],
        "here": here,
        "before": chosen.querystring(cursor=page.before),
        "after": chosen.querystring(cursor=page.after),
        "clear": QueueFilter(show=chosen.show).querystring(),
        "deferred": chosen.showing(Show.DEFERRED).querystring(),
        "why": None if page.rows else why_empty(chosen, person),
    }
    if not wants_fragment(request):
        context |= {"facets": facets(chosen), "whole": True, **undoable(person)}
    response = page_or("annotations/_queue.html", request, "annotations/queue.html", context)
    return _announced(response, chosen, request.GET.get("cursor", ""), len(page.rows))


def _announced(response: HttpResponse, chosen: QueueFilter, cursor: str, shown: int) -> HttpResponse:
    """Tell htmx the clean address of this list, and say to those who cannot see it how much there is."""
    response["HX-Push-Url"] = reverse("queue") + chosen.querystring(cursor=cursor)
    response["HX-Trigger"] = json.dumps({"say": f"{shown} annotation{pluralize(shown)} shown"})
    return response
