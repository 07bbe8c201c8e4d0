"""Whether a backlog is cheaper in bulk: pages to read, one write, pages to confirm, against two requests each. Pure.

Mixpeek's list knows few filters, so what is near what we want must be read along with it: all of a retriever, or all
that has one label there. What our mirror knows of their sizes decides which is less.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

PAGE, MOST_WRITTEN = 500, 1000
# A round reads no more pages than this to begin with and as many to confirm: others wait for its worker meanwhile.
MOST_PAGES = 20
# One by one is the more careful way; bulk must be worth it.
_WORTH = 2.0
_ONE_BY_ONE = 2


@dataclass(frozen=True, kw_only=True)
class Head:
    """A change that could go in bulk: the retriever it is about, the label that is there now and the one wanted."""

    pk: int
    retriever_id: str
    label: str
    wanted: str


@dataclass(frozen=True, kw_only=True, order=True)
class Listing:
    """One list to read, page by page: all annotations of a retriever, or those with one label."""

    retriever_id: str
    label: str | None = None
    pages: int


@dataclass(frozen=True, kw_only=True)
class Round:
    """The changes to deliver in bulk, and the lists to read before and after the one write."""

    heads: tuple[int, ...] = ()
    before: tuple[Listing, ...] = ()
    after: tuple[Listing, ...] = ()

    @property
    def requests(self) -> int:
        """How many requests it takes."""
        pages = sum(listing.pages for listing in (*self.before, *self.after))
        return pages + 1 if self.heads else 0


# How many annotations there are upstream of a retriever, and of one label among them, as far as our mirror knows.
Size = Callable[[str, str | None], int]


def plan(heads: Sequence[Head], size: Size) -> Round:
    """Return the round that saves the most requests for the heads of one retriever; an empty one when none does.

    `heads` are the oldest first; a round takes a thousand at most.
    """
    best = Round()
    by_retriever = defaultdict(list)
    for head in heads:
        by_retriever[head.retriever_id].append(head)
    for retriever_id, ours in by_retriever.items():
        found = _round(retriever_id, ours[:MOST_WRITTEN], size) if retriever_id else Round()
        best = max(best, found, key=_saved)
    return best


def _saved(found: Round) -> int:
    return _ONE_BY_ONE * len(found.heads) - found.requests


def _round(retriever_id: str, heads: Sequence[Head], size: Size) -> Round:
    before = _lists(retriever_id, _counted([head.label for head in heads]), size)
    after = _lists(retriever_id, _counted([head.wanted for head in heads]), size)
    found = Round(heads=tuple(head.pk for head in heads), before=before, after=after)
    small = all(sum(listing.pages for listing in lists) <= MOST_PAGES for lists in (before, after))
    return found if small and _ONE_BY_ONE * len(heads) >= _WORTH * found.requests else Round()


def _lists(retriever_id: str, labels: Mapping[str, int], size: Size) -> tuple[Listing, ...]:
    """Return the fewer pages: those of the whole retriever, or those of each label."""
    whole = Listing(retriever_id=retriever_id, pages=_pages(max(size(retriever_id, None), sum(labels.values()))))
    if len(labels) >= whole.pages:
        return (whole,)
    each = tuple(
        Listing(retriever_id=retriever_id, label=label, pages=_pages(max(size(retriever_id, label), least)))
        for label, least in sorted(labels.items())
    )
    return each if sum(listing.pages for listing in each) < whole.pages else (whole,)


def _pages(rows: int) -> int:
    return max(math.ceil(rows / PAGE), 1)


def _counted(labels: Sequence[str]) -> dict[str, int]:
    return {label: labels.count(label) for label in set(labels)}
