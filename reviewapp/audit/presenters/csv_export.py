"""CSV export of events, streamed, with protection against formula injection."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.db.models import TextField
from django.db.models.functions import Cast

from reviewapp.audit.presenters.timeline import event_decision_id
from reviewapp.audit.registry import find_guidance_versions

if TYPE_CHECKING:
    from reviewapp.audit.querysets import EventQuerySet

_EVENT_COLUMNS = (
    "at", "actor_id", "actor_name", "action", "ref", "retriever_id", "origin", "request_id",
    "label_from", "label_to", "note", "changes",
)  # fmt: skip
_GUIDANCE_COLUMNS = ("labels_version", "guidelines_version", "machine_words")
COLUMNS = (*_EVENT_COLUMNS, *_GUIDANCE_COLUMNS)
_ACTION = COLUMNS.index("action")
_CHANGES = COLUMNS.index("changes")

# Without this mark, spreadsheets read the file in the machine's code page and garble other scripts.
BYTE_ORDER_MARK = "\ufeff"
_BATCH_SIZE = 1000

# Where a spreadsheet runs a formula (https://owasp.org/www-community/attacks/CSV_Injection): at the
# beginning of a cell and, where it splits lines at semicolons and ignores our quotes, after a
# semicolon, a tab or a line break. Existing apostrophes are skipped, so that the one we add can
# always be removed again: docs/operations.md. A plain number is no formula.
_SIGN = "=+@\uff1d\uff0b\uff0d\uff20-"
_PLAIN_NUMBER = re.compile(r"-[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_FORMULA_START = re.compile(rf"""(^|;)(?=[ '"]*[\t\r\n{_SIGN}])|([\t\r\n])(?=[ '"]*[{_SIGN}])""")


def export_lines(events: EventQuerySet) -> Iterator[str]:
    """Yield a header and a line for each event, read in batches through a server-side cursor."""
    expressions: list[Any] = list(_EVENT_COLUMNS)
    expressions[_CHANGES] = Cast("changes", TextField())
    rows = events.values_list(*expressions).iterator(chunk_size=_BATCH_SIZE)

    yield BYTE_ORDER_MARK + format_rows([COLUMNS])
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH_SIZE:
            yield format_rows(_with_guidance(batch))
            batch.clear()
    yield format_rows(_with_guidance(batch))


def cell(value: object) -> str:
    """Return a value as text, with an apostrophe before whatever would run as a formula."""
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    text = str(value)
    if _PLAIN_NUMBER.fullmatch(text):
        return text
    return _FORMULA_START.sub(r"\1\2'", text)


def _with_guidance(batch: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows with the guidance versions of their decisions. One query."""
    decision_ids = []
    for row in batch:
        changes = json.loads(row[_CHANGES])
        decision_ids.append(event_decision_id(action=row[_ACTION], changes=changes))

    guidance = find_guidance_versions({key for key in decision_ids if key is not None})
    for row, decision_id in zip(batch, decision_ids, strict=True):
        versions = None if decision_id is None else guidance.get(decision_id)
        if versions is None:
            yield (*row, None, None, None)
        else:
            yield (*row, versions.labels, versions.guidelines, ", ".join(versions.machine_words))


def format_rows(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as lines of CSV, with formulas disarmed."""
    buffer = StringIO()
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return buffer.getvalue()
