"""The versions of labels and of guidelines that their pages list."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from reviewapp.web.http import Request, whole_number

_MOST = 20


def earlier(request: Request, kept: QuerySet[Any]) -> dict[str, Any]:
    """Return the newest versions, and the one that the address asks for however old it is."""
    asked = whole_number(request.GET.get("version", ""))
    versions = kept.select_related("created_by").order_by("-version")
    newest = list(versions[:_MOST])
    older = asked and all(one.version != asked for one in newest)
    return {"asked": asked, "earlier": newest + (list(versions.filter(version=asked)) if older else [])}
