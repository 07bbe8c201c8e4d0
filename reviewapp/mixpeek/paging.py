"""Walk all pages of a list whose rows may shift while we read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from reviewapp.mixpeek.exceptions import Garbled
from reviewapp.mixpeek.parsing.bounds import MOST_ROWS
from reviewapp.mixpeek.records import LeftOut, Page

T = TypeVar("T")


def each(
    fetch: Callable[[int, str | None], Page[T]],
    *,
    identity: Callable[[T], str],
    limit: int,
    left_out: list[LeftOut] | None = None,
) -> Iterator[T]:
    """Yield the rows of all pages, each identity once.

    `fetch(offset, cursor)` gets one page of `limit` rows. The end is an empty page, or a short one that neither names
    a next page nor falls short of the total. Rows created or deleted meanwhile can shift others across a page's
    edge: repeats are dropped here, but a row that slipped past us is only seen by the next walk. What cannot be read is
    added to `left_out`. Raises `Garbled` when the server repeats itself although it says there is more, or goes on
    after 10,000 rows, since going on would never end.
    """
    seen: set[str] = set()
    offset, cursor = 0, None
    while True:
        page = fetch(offset, cursor)
        fresh = {identity(row): row for row in page.items if identity(row) not in seen}
        yield from fresh.values()
        seen.update(fresh)
        if left_out is not None:
            left_out += page.left_out
        offset += page.rows
        cursor = page.next if isinstance(page.next, str) else None
        more = page.next is not None or page.rows >= limit or offset < (page.total or 0)
        if not page.rows or not more:
            return
        if offset >= MOST_ROWS:
            raise Garbled(f"Mixpeek's list does not end: more than {MOST_ROWS:,} rows came.")
        if page.items and not fresh:
            if page.total is not None and len(seen) >= page.total:
                return
            raise Garbled("Mixpeek sends the same page of a list again and again.")
