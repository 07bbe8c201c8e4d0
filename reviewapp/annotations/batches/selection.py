"""Which items a form of the queue or of a preview selects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.http import QueryDict

from reviewapp.annotations.batches.services import MAX_ITEMS
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.pages import first_keys
from reviewapp.web.http import parse_whole_number

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


@dataclass(frozen=True, kw_only=True)
class BatchSelection:
    """The keys of the selected items in their order; `is_cut` if more match the filter."""

    keys: list[int]
    is_cut: bool = False


def selection_of(data: QueryDict, person: User) -> BatchSelection:
    """Return the items that are ticked (`item`), that a preview lists (`items`), or that match.

    With `matching`, these are the first that the filter in `query` shows the person.
    """
    if "matching" in data:
        query = data.get("query", "").removeprefix("?")
        queue_filter = QueueFilter.parse(QueryDict(query))
        keys = first_keys(queue_filter, person, limit=MAX_ITEMS + 1)
    else:
        texts = [*data.getlist("item"), *data.get("items", "").split()]
        numbers = [parse_whole_number(text) for text in texts]
        keys = list(dict.fromkeys(number for number in numbers if number))
    return BatchSelection(keys=keys[:MAX_ITEMS], is_cut=len(keys) > MAX_ITEMS)
