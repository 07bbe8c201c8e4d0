"""Decide whether to deliver a backlog in bulk or one by one, by counting requests. Pure.

Bulk reads pages, writes once and reads the pages again; one by one takes two requests a change.
Mixpeek's list has few filters, so a plan reads either all annotations of a retriever or those with
one label there, whichever is shorter by the sizes in our mirror.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

PAGE = 500
MAX_WRITTEN = 1000
# Pages to read before the write, and again after it: other changes wait for the worker meanwhile.
MAX_PAGES = 20
# One by one is the more careful way: bulk must save at least this factor of requests.
_MIN_SAVING = 2.0
_REQUESTS_ONE_BY_ONE = 2


@dataclass(frozen=True, kw_only=True)
class Head:
    """A change that could go in bulk, with its retriever and its labels now and afterwards."""

    pk: int
    retriever_id: str
    label: str
    wanted: str


@dataclass(frozen=True, kw_only=True, order=True)
class Listing:
    """A list to read, page by page: a retriever's annotations, all or those with one label."""

    retriever_id: str
    label: str | None = None
    pages: int


@dataclass(frozen=True, kw_only=True)
class BulkPlan:
    """The changes to deliver in bulk, and the lists to read before and after the one write."""

    heads: tuple[int, ...] = ()
    before: tuple[Listing, ...] = ()
    after: tuple[Listing, ...] = ()

    @property
    def requests(self) -> int:
        """How many requests the plan takes."""
        if not self.heads:
            return 0
        return _pages(self.before) + _pages(self.after) + 1

    @property
    def saved_requests(self) -> int:
        """How many requests less than one by one the plan takes."""
        return _REQUESTS_ONE_BY_ONE * len(self.heads) - self.requests


# Returns how many annotations a retriever has upstream, in all (None) or with one label.
Size = Callable[[str, str | None], int]


def plan_bulk_write(heads: Sequence[Head], size: Size) -> BulkPlan:
    """Return the plan that saves the most requests, for one retriever; an empty one for none.

    `heads` are the oldest first; a plan takes `MAX_WRITTEN` at most.
    """
    by_retriever = defaultdict(list)
    for head in heads:
        by_retriever[head.retriever_id].append(head)

    best = BulkPlan()
    for retriever_id, own in by_retriever.items():
        if not retriever_id:
            continue

        keys = []
        labels_before: Counter[str] = Counter()
        labels_after: Counter[str] = Counter()
        for head in own[:MAX_WRITTEN]:
            keys.append(head.pk)
            labels_before[head.label] += 1
            labels_after[head.wanted] += 1

        candidate = BulkPlan(
            heads=tuple(keys),
            before=_shortest_lists(retriever_id, labels_before, size),
            after=_shortest_lists(retriever_id, labels_after, size),
        )
        is_short = max(_pages(candidate.before), _pages(candidate.after)) <= MAX_PAGES
        is_worth_it = _REQUESTS_ONE_BY_ONE * len(keys) >= _MIN_SAVING * candidate.requests
        if is_short and is_worth_it:
            best = max(best, candidate, key=lambda plan: plan.saved_requests)
    return best


def _shortest_lists(
    retriever_id: str,
    labels: Mapping[str, int],
    size: Size,
) -> tuple[Listing, ...]:
    """Return the list of the whole retriever, or those of each label if these have fewer pages.

    `labels` counts the changes by label: a list is at least as long as that.
    """
    total = max(size(retriever_id, None), sum(labels.values()))
    whole = Listing(retriever_id=retriever_id, pages=_pages_for(total))
    if len(labels) >= whole.pages:
        return (whole,)

    by_label = []
    for label, count in sorted(labels.items()):
        pages = _pages_for(max(size(retriever_id, label), count))
        by_label.append(Listing(retriever_id=retriever_id, label=label, pages=pages))
    if _pages(by_label) < whole.pages:
        return tuple(by_label)
    return (whole,)


def _pages(lists: Sequence[Listing]) -> int:
    return sum(listing.pages for listing in lists)


def _pages_for(rows: int) -> int:
    return max(math.ceil(rows / PAGE), 1)
