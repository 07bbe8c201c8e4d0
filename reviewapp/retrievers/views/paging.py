"""Pages by key of the lists about retrievers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages

from reviewapp.web import pagination
from reviewapp.web.http import Request


def page_of(found: Any, *, order: tuple[str, ...], request: Request) -> pagination.Page[Any]:
    """Return the page the address asks for; a cursor that is none leads to the first."""
    try:
        return pagination.page(found, order=order, cursor=request.GET.get("cursor", ""))
    except pagination.BadCursor:
        messages.info(request, "That page is not there any more; this is the first one.")
        return pagination.page(found, order=order)


def around(page: pagination.Page[Any], request: Request, *, keeping: tuple[str, ...] = ("q",)) -> dict[str, str]:
    """Return the query strings of the pages before and after, which keep the search."""
    kept = kept_of(request, keeping)
    cursors = {"before": page.before, "after": page.after}
    return {
        name: f"?{urlencode({**kept, 'cursor': cursor}, doseq=True)}" if cursor else ""
        for name, cursor in cursors.items()
    }


def kept_of(request: Request, keeping: tuple[str, ...]) -> dict[str, list[str]]:
    """Return what an address says under these names, several values each, without what is empty."""
    said = {name: [value for value in request.GET.getlist(name) if value] for name in keeping}
    return {name: values for name, values in said.items() if values}
