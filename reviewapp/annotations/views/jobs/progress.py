"""What the pages of batches and of reverts show: how far a job got, and each item's result."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Count, QuerySet, TextChoices

from reviewapp.annotations.models import BatchItem, RevertedDecision
from reviewapp.web import pagination
from reviewapp.web.http import Request

_PAGE_SIZE = 50


def job_context(
    request: Request,
    items: QuerySet[BatchItem] | QuerySet[RevertedDecision],
    effects: type[TextChoices],
    *,
    url: str,
) -> dict[str, Any]:
    """Return a page of a job's items with their effects, and how many are in each state.

    `url` is the job's page, on which the links to other pages of items stay.
    """

    def load(cursor: str) -> pagination.Page[Any]:
        return pagination.page(items, order=["id"], cursor=cursor, size=_PAGE_SIZE)

    page = pagination.page_or_first(load, request.GET.get("cursor", ""))
    counted = items.order_by().values_list("state").annotate(Count("pk"))
    numbers = Counter(dict(counted))
    states = items.model.State
    return {
        "rows": [(item, effects(item.effect) if item.effect else None) for item in page.rows],
        "states": [(state, numbers[state]) for state in states if numbers[state]],
        "total": numbers.total(),
        "settled": numbers.total() - numbers[states.WAITING],
        "done": numbers[states.DONE],
        "pager": pagination.PageLinks(page=page, path=url),
    }
