"""The page of an item's life: its events in order, and two of its versions side by side."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.review import life as lives
from reviewapp.audit.models import Event
from reviewapp.audit.presenters.timeline import build_entries
from reviewapp.web import pagination
from reviewapp.web.http import Request, parse_whole_number, render_page_or_fragment

_PAGE_SIZE = 100
_OLDEST_FIRST = ["at", "id"]


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def life(request: Request, pk: int) -> HttpResponse:
    """Show what happened to an annotation, oldest first, and compare two of its versions."""
    annotations = Annotation.objects.with_evidence().select_related("retriever")
    annotation = get_object_or_404(annotations, pk=pk)
    events = Event.objects.filter(ref=annotation.ref).defer("words")

    def load(cursor: str) -> pagination.Page[Any]:
        return pagination.page(events, order=_OLDEST_FIRST, cursor=cursor, size=_PAGE_SIZE)

    page = pagination.page_or_first(load, request.GET.get("cursor", ""))
    # A request's events are grouped newest first.
    entries = build_entries(page.rows[::-1])[::-1]

    # By default the first version is compared with the last.
    versions = lives.list_versions(annotation, annotation.changes)
    left = parse_whole_number(request.GET.get("left", "")) or versions[-1].number
    right = parse_whole_number(request.GET.get("right", "")) or versions[0].number

    context: dict[str, Any] = {
        "annotation": annotation,
        "execution": lives.load_execution(annotation),
        "is_beginning": not page.before,
        "entries": entries,
        "pager": pagination.PageLinks(page=page, path=request.path),
        "versions": versions,
        "left": left,
        "right": right,
        "compared": lives.compare(annotation, annotation.changes, left=left, right=right),
    }
    return render_page_or_fragment(
        "annotations/_life.html", request, "annotations/life.html", context
    )
