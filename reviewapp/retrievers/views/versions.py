"""The earlier versions that the pages of labels and guidelines list."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from reviewapp.web.http import Request, parse_whole_number

_MAX_VERSIONS = 20


def versions_context(request: Request, queryset: QuerySet[Any]) -> dict[str, Any]:
    """Return the newest versions, and the one in the query string, however old it is."""
    number = parse_whole_number(request.GET.get("version", ""))
    versions = queryset.select_related("created_by").order_by("-version")
    listed = list(versions[:_MAX_VERSIONS])
    if number and all(version.version != number for version in listed):
        listed += versions.filter(version=number)
    return {"asked": number, "earlier": listed}
