"""Events as comma-separated values, for spreadsheets: line by line, however many there are."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.db.models import TextField
from django.db.models.functions import Cast

from reviewapp.audit.presenters.timeline import decided
from reviewapp.audit.registry import made_with

if TYPE_CHECKING:
    from reviewapp.audit.querysets import EventQuerySet

COLUMNS = (
    "at", "actor_id", "actor_name", "action", "ref", "retriever_id", "origin", "request_id",
    "label_from", "label_to", "note", "changes", "labels_version", "guidelines_version", "machine_words",
)  # fmt: skip
_MADE_WITH = ("labels_version", "guidelines_version", "machine_words")
_ACTION, _CHANGES = COLUMNS.index("action"), COLUMNS.index("changes")
# Spreadsheets take a file without this mark for the code page of the machine, and spoil every other script.
_BYTE_ORDER_MARK = "\ufeff"
_AT_ONCE = 1000
# Where a spreadsheet runs a formula (https://owasp.org/www-community/attacks/CSV_Injection): at the beginning of a cell
# and, where it splits lines at semicolons and so does not see our quotes, after a semicolon, a tab or a line break.
# Apostrophes that are there already count as nothing, so that one can always be taken away again: docs/operations.md.
_SIGN = "=+@\uff1d\uff0b\uff0d\uff20-"
_RUNS = re.compile(rf"""(^|;)(?=[ '"]*[\t\r\n{_SIGN}])|([\t\r\n])(?=[ '"]*[{_SIGN}])""")


def lines(events: EventQuerySet) -> Iterator[str]:
    """Yield a header and a line an event, a thousand at a time, read through a cursor that the server keeps."""
    read = [Cast(name, TextField()) if name == "changes" else name for name in COLUMNS[: -len(_MADE_WITH)]]
    rows = events.values_list(*read).iterator(chunk_size=_AT_ONCE)
    yield _BYTE_ORDER_MARK + _written([COLUMNS])
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _AT_ONCE:
            yield _written(_with_versions(batch))
            batch.clear()
    yield _written(_with_versions(batch))


def cell(value: object) -> str:
    """Return a value as a spreadsheet shows it, with an apostrophe before whatever it would run as a formula."""
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return _RUNS.sub(r"\1\2'", str(value))


def _with_versions(batch: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Yield the lines with what their decisions were made with. One query."""
    keys = [decided(action=row[_ACTION], changes=json.loads(row[_CHANGES])) for row in batch]
    known = made_with({key for key in keys if key is not None})
    for row, key in zip(batch, keys, strict=True):
        made = known.get(key) if key is not None else None
        if made is None:
            yield (*row, None, None, None)
        else:
            yield (*row, made.labels, made.guidelines, ", ".join(made.machine_words))


def _written(rows: Iterable[Iterable[object]]) -> str:
    buffer = StringIO()
    csv.writer(buffer).writerows([cell(value) for value in row] for row in rows)
    return buffer.getvalue()
