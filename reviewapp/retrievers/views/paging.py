"""Pages of the lists about retrievers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.utils.translation import gettext as _

from reviewapp.web import pagination
from reviewapp.web.http import Request


def load_page(queryset: Any, *, order: tuple[str, ...], request: Request) -> pagination.Page[Any]:
    """Return the page of the request's cursor; an invalid cursor gets the first page."""

    def load(cursor: str) -> pagination.Page[Any]:
        return pagination.page(queryset, order=order, cursor=cursor)

    page = pagination.page_or_first(load, request.GET.get("cursor", ""))
    if page.is_fallback:
        messages.info(request, _("That page no longer exists. This is the first page."))
    return page
