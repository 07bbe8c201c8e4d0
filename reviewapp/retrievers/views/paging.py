"""Keyset pagination of the lists about retrievers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages

from reviewapp.web import pagination
from reviewapp.web.http import Request


def load_page(queryset: Any, *, order: tuple[str, ...], request: Request) -> pagination.Page[Any]:
    """Return the page of the request's cursor; an invalid cursor gets the first page."""
    cursor = request.GET.get("cursor", "")
    try:
        return pagination.page(queryset, order=order, cursor=cursor)
    except pagination.BadCursor:
        messages.info(request, "That page is not there any more; this is the first one.")
        return pagination.page(queryset, order=order)


def pager_links(
    page: pagination.Page[Any],
    request: Request,
    *,
    keep: tuple[str, ...] = ("q",),
) -> dict[str, str]:
    """Return the query strings of the pages `before` and `after`, with the parameters in `keep`."""
    parameters = query_values(request, keep)
    links = {}
    for name, cursor in (("before", page.before), ("after", page.after)):
        query = urlencode({**parameters, "cursor": cursor}, doseq=True)
        links[name] = f"?{query}" if cursor else ""
    return links


def query_values(request: Request, names: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the values of these query parameters, without empty ones."""
    parameters = {}
    for name in names:
        values = [value for value in request.GET.getlist(name) if value]
        if values:
            parameters[name] = values
    return parameters
