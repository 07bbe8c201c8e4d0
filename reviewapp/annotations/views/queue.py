"""The queue page: what waits, what was decided, and what needs care."""

from __future__ import annotations

import json
from dataclasses import replace

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from reviewapp.annotations.queue.counts import count_items
from reviewapp.annotations.queue.filter_options import labels_like, render_filter_fields
from reviewapp.annotations.queue.filters import QueueFilter, Show
from reviewapp.annotations.queue.pages import load_queue_page
from reviewapp.annotations.queue.querysets import MAX_QUEUE_COUNT, explain_empty_queue
from reviewapp.annotations.queue.row import ListRow, build_queue_row
from reviewapp.annotations.queue.search import find_matches
from reviewapp.annotations.review import shortcuts
from reviewapp.annotations.review.last_actions import last_actions
from reviewapp.web import pagination
from reviewapp.web.http import Request, render_page_or_fragment, wants_fragment

# How many labels are offered for a part of a label.
MAX_LABEL_CHOICES = 20


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def queue(request: Request) -> HttpResponse:
    """Show one page of the queue; problems with the URL's filters are ignored and shown."""
    queue_filter = QueueFilter.parse(request.GET)
    person = request.user
    cursor = request.GET.get("cursor", "")
    problems = list(queue_filter.problems)

    label_choices = []
    if queue_filter.label:
        typed = queue_filter.label
        labels = labels_like(typed)
        if len(labels) == 1:
            queue_filter = replace(queue_filter, label=labels[0])
        elif not labels:
            problems.append(_("No label contains “%(text)s”.") % {"text": typed})
        for label in labels[:MAX_LABEL_CHOICES] if len(labels) > 1 else ():
            label_choices.append((label, queue_filter.querystring(label=label)))

    matches = None
    if queue_filter.q:
        matches = find_matches(queue_filter, person)

    def load(cursor: str) -> pagination.Page[ListRow]:
        return load_queue_page(queue_filter, person, cursor=cursor, found=matches)

    page = pagination.page_or_first(load, cursor)
    if page.is_fallback:
        problems.append(_("That page no longer exists. This is the first page."))

    counts = count_items(queue_filter, person, found=matches)
    now = timezone.now()
    querystring = queue_filter.querystring()

    chips = []
    for show, count in counts.by_show().items():
        chips.append((show, count, queue_filter.showing(show).querystring()))

    empty_reason = None
    if not page.rows:
        empty_reason = explain_empty_queue(queue_filter, person)

    context = {
        "chosen": queue_filter,
        "page": page,
        "problems": problems,
        "chips": chips,
        "label_choices": label_choices,
        "cap": MAX_QUEUE_COUNT,
        "at_least": matches is not None and matches.at_least,
        "lines": [build_queue_row(row, person, here=querystring, now=now) for row in page.rows],
        "here": querystring,
        "pager": pagination.PageLinks(
            page=page,
            path=reverse("queue"),
            parameters=queue_filter.parameters(),
        ),
        "clear": QueueFilter(show=queue_filter.show).querystring(),
        "deferred": queue_filter.showing(Show.DEFERRED).querystring(),
        "why": empty_reason,
        "skipped": counts.skipped if queue_filter.show == Show.WAITING else 0,
    }
    if not wants_fragment(request):
        context["facets"] = render_filter_fields(queue_filter)
        context["whole"] = True
        context |= last_actions(person)
        keys = shortcuts.for_queue(person.key_map)
        if not person.single_keys:
            keys = shortcuts.without_single_keys(keys)
        context["key_groups"] = shortcuts.by_group(keys)
        context["key_table"] = shortcuts.shortcuts_as_json(keys)

    response = render_page_or_fragment(
        "annotations/_queue.html", request, "annotations/queue.html", context
    )
    row_count = len(page.rows)
    # The URL without the parameters that were wrong; the sentence is for screen readers.
    response["HX-Push-Url"] = reverse("queue") + queue_filter.querystring(cursor=cursor)
    announcement = ngettext("%(count)s annotation shown", "%(count)s annotations shown", row_count)
    response["HX-Trigger"] = json.dumps({"say": announcement % {"count": row_count}})
    return response
