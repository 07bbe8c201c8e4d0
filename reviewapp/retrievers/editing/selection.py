"""Which retrievers are picked to be tagged together: on the page that is shown, and on others that were left."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.http import QueryDict

from reviewapp.retrievers.models import Retriever
from reviewapp.web.http import whole_number


@dataclass(frozen=True, kw_only=True)
class Picks:
    """How many are picked, those on this page by key, and those that are not on it."""

    total: int
    here: frozenset[int]
    elsewhere: list[Retriever]


def picked(asked: QueryDict) -> list[Retriever]:
    """Return the retrievers that an address or a form names, by name; what is none is passed over."""
    keys = {key for text in asked.getlist("pk") if (key := whole_number(text))}
    return list(Retriever.objects.filter(pk__in=keys).order_by("name", "id")) if keys else []


def around(rows: Collection[Retriever], asked: QueryDict) -> Picks:
    """Return what is picked as it is seen from a page that shows `rows`."""
    found, shown = picked(asked), {row.pk for row in rows}
    here = frozenset(one.pk for one in found if one.pk in shown)
    return Picks(total=len(found), here=here, elsewhere=[one for one in found if one.pk not in here])
