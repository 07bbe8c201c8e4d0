"""Read all pages of a list whose rows may shift while we read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from reviewapp.mixpeek.exceptions import Garbled
from reviewapp.mixpeek.parsing.bounds import MAX_ROWS
from reviewapp.mixpeek.records import LeftOut, RecordPage

T = TypeVar("T")


def iterate_rows(
    fetch: Callable[[int, str | None], RecordPage[T]],
    *,
    identity: Callable[[T], str],
    limit: int,
    left_out: list[LeftOut] | None = None,
) -> Iterator[T]:
    """Yield the rows of all pages, each identity once.

    `fetch(offset, cursor)` gets one page of `limit` rows. The last page is empty, or short and
    neither names a next page nor falls short of the total. Rows created or deleted meanwhile can
    shift others across a page's edge: duplicates are dropped here, but a row that was skipped is
    only read by the next walk. Records that cannot be read are added to `left_out`.

    Raises `Garbled` when the server repeats a page although it says there is more, or when the list
    goes on after 10,000 rows, because it might never end.
    """
    seen_ids: set[str] = set()
    offset = 0
    cursor = None
    while True:
        page = fetch(offset, cursor)
        new_rows = {}
        for row in page.items:
            row_id = identity(row)
            if row_id not in seen_ids:
                new_rows[row_id] = row
        yield from new_rows.values()

        seen_ids.update(new_rows)
        if left_out is not None:
            left_out += page.left_out

        offset += page.rows
        if not page.rows or not page.has_more(offset=offset, limit=limit):
            return
        cursor = None
        if isinstance(page.next, str):
            cursor = page.next

        if offset >= MAX_ROWS:
            raise Garbled(f"Mixpeek's list does not end: more than {MAX_ROWS:,} rows came.")

        if page.items and not new_rows:
            if page.total is not None and len(seen_ids) >= page.total:
                return
            raise Garbled("Mixpeek sends the same page of a list again and again.")
