"""The selection of retrievers to tag together, on the current page and on others."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.http import QueryDict

from reviewapp.retrievers.models import Retriever
from reviewapp.web.http import parse_whole_numbers


@dataclass(frozen=True, kw_only=True)
class Selection:
    """How many are selected: those on this page by key, and those that are not on it."""

    total: int
    here: frozenset[int]
    elsewhere: list[Retriever]


def load_selected(data: QueryDict) -> list[Retriever]:
    """Return the retrievers whose keys are in `data`, by name; unknown keys are ignored."""
    keys = parse_whole_numbers(data.getlist("pk"))
    if not keys:
        return []
    return list(Retriever.objects.filter(pk__in=keys).order_by("name", "id"))


def selection_on_page(rows: Collection[Retriever], data: QueryDict) -> Selection:
    """Return the selection relative to a page that shows `rows`."""
    selected = load_selected(data)
    here = set()
    elsewhere = []
    for retriever in selected:
        if retriever in rows:
            here.add(retriever.pk)
        else:
            elsewhere.append(retriever)
    return Selection(total=len(selected), here=frozenset(here), elsewhere=elsewhere)
