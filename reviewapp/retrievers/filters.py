"""Filters of the list of retrievers: read from the query string, and written back into it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from reviewapp.retrievers.models import Retriever
from reviewapp.retrievers.querysets import RetrieverQuerySet
from reviewapp.storable import is_storable
from reviewapp.web.filters import (
    MAX_CHOICES,
    MAX_COMPLETIONS,
    NOT_A_PARAMETER,
    Filter,
    FilterForm,
    distinct_choices,
    name_order,
)

_MAX_SEARCHED_TAGS = 10_000
ORDERS = {
    "name": ("name", "id"),
    "waiting": ("-waiting", "id"),
    "edited": ("-edited_at", "-id"),
}


class RetrieverFilterForm(FilterForm):
    """The filters and the order of a query string."""

    q = forms.CharField(required=False, max_length=200)
    tag = forms.CharField(required=False, max_length=200, strip=False)
    sort = forms.ChoiceField(required=False, choices=[(name, name) for name in ORDERS])


@dataclass(frozen=True, kw_only=True)
class RetrieverFilter(Filter):
    """A filter of retrievers, and their order; an unknown order is ignored.

    `is_impossible`: the search or the tag is none that a retriever can have, so nothing matches.
    """

    q: str = ""
    tag: str = ""
    sort: str = "name"
    is_impossible: bool = field(default=False, metadata=NOT_A_PARAMETER)

    @classmethod
    def parse(cls, data: Any) -> RetrieverFilter:
        """Parse filters from `request.GET`."""
        form = RetrieverFilterForm(data)
        is_impossible = "q" in form.errors or "tag" in form.errors
        return cls(**form.values(), is_impossible=is_impossible)

    @property
    def order(self) -> tuple[str, ...]:
        """The ordering columns: none of them is null, and the last one is unique."""
        return ORDERS[self.sort]

    def retrievers(self) -> RetrieverQuerySet:
        """Return the matching retrievers, unordered."""
        if self.is_impossible:
            return Retriever.objects.none()
        return Retriever.objects.matching(self.q).tagged(self.tag)


def retriever_choices(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, str]]:
    """Return (key, title) choices for rows of a key, name, retriever id and `gone_at`.

    Retrievers that are gone are marked, and those with one title are told apart by their ids.
    """
    titled = []
    for key, name, retriever_id, gone_at in rows:
        title = name
        if gone_at:
            title = _("%(name)s (gone)") % {"name": name}
        titled.append((key, title, retriever_id))
    return distinct_choices(titled)


def offered_retrievers(chosen: str) -> list[tuple[Any, str]]:
    """Return the choices of a filter: the first 500 retrievers by name, and the chosen one."""
    retrievers = Retriever.objects.order_by("name", "id")
    columns = retrievers.values_list("retriever_id", "name", "retriever_id", "gone_at")
    rows = list(columns[:MAX_CHOICES])
    is_offered = any(row[0] == chosen for row in rows)
    if chosen and not is_offered and is_storable(chosen):
        rows += columns.filter(retriever_id=chosen)
    return retriever_choices(rows)


def complete_retriever(text: str, *, key: str) -> list[tuple[Any, str]]:
    """Return the choices of the first retrievers whose names or ids hold `text`.

    `key` names the column whose values are the keys of the choices.
    """
    retrievers = Retriever.objects.named(text).order_by(*name_order("name", text))
    columns = retrievers.values_list(key, "name", "retriever_id", "gone_at")
    return retriever_choices(columns[:MAX_COMPLETIONS])


def complete_tag(text: str) -> list[tuple[str, str]]:
    """Return the choices of the first tags that hold `text`, those that begin with it first."""
    part = text.casefold()
    in_use = Retriever.objects.tags_in_use(limit=_MAX_SEARCHED_TAGS)
    tags = [tag for tag in in_use if part in tag.casefold()]
    tags.sort(key=lambda tag: tag.casefold().find(part))
    return [(tag, tag) for tag in tags[:MAX_COMPLETIONS]]
