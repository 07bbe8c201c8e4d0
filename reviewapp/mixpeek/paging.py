"""Walk all pages of a list whose rows may shift while we read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from reviewapp.mixpeek.exceptions import Garbled
from reviewapp.mixpeek.records import Page

T = TypeVar("T")


def each(fetch: Callable[[int, str | None], Page[T]], *, identity: Callable[[T], str], limit: int) -> Iterator[T]:
    """Yield the rows of all pages, each identity once.

    `fetch(offset, cursor)` gets one page of `limit` rows. The end is an empty page, or a short one that neither names
    a next page nor falls short of the total. Rows created or deleted meanwhile can shift others across a page's
    edge: repeats are dropped here, but a row that slipped past us is only seen by the next walk. Raises `Garbled`
    when the server repeats itself although it says there is more, since going on would never end.
    """
    seen: set[str] = set()
    offset, cursor = 0, None
    while True:
        page = fetch(offset, cursor)
        fresh = {identity(row): row for row in page.items if identity(row) not in seen}
        yield from fresh.values()
        seen.update(fresh)
        offset += len(page.items)
        cursor = page.next if isinstance(page.next, str) else None
        more = page.next is not None or len(page.items) >= limit or offset < (page.total or 0)
        if not page.items or not more:
            return
        if not fresh:
            if page.total is not None and len(seen) >= page.total:
                return
            raise Garbled("Mixpeek sends the same page of a list again and again.")
