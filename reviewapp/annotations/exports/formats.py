"""The formats of an export: rows in, chunks of a file out. Pure.

- CSV is for spreadsheets: the columns in their order, formulas disarmed, objects as JSON.
- JSON Lines holds everything, one object a line.
- TREC qrels: `topic 0 document grade`, one line for each judged document of a run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from reviewapp.audit.presenters.csv_export import BYTE_ORDER_MARK, format_rows

Row = Mapping[str, Any]

_CHUNK_ROWS = 1000
_BLANKS = re.compile(r"\s+")


class Format(TextChoices):
    """A format, by the ending of its files."""

    CSV = "csv", _("CSV, for spreadsheets")
    JSONL = "jsonl", _("JSON Lines, everything")
    QRELS = "qrels", _("TREC qrels")


CONTENT_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSONL: "application/x-ndjson",
    Format.QRELS: "text/plain; charset=utf-8",
}


def csv_chunks(rows: Iterable[Row], columns: Sequence[str], zone: tzinfo) -> Iterator[bytes]:
    """Yield a header and a line for each row, in chunks."""
    yield (BYTE_ORDER_MARK + format_rows([columns])).encode()
    for batch in _batches(rows):
        lines = []
        for row in batch:
            lines.append([_csv_value(row[column], zone) for column in columns])
        yield format_rows(lines).encode()


def jsonl_chunks(rows: Iterable[Row], zone: tzinfo) -> Iterator[bytes]:
    """Yield a JSON object on a line for each row, in chunks."""
    for batch in _batches(rows):
        lines = []
        for row in batch:
            values = {name: _localized(value, zone) for name, value in row.items()}
            lines.append(json.dumps(values, ensure_ascii=False) + "\n")
        yield "".join(lines).encode()


def qrels_chunks(rows: Iterable[Row], grades: Mapping[str, int]) -> Iterator[bytes]:
    """Yield a line for each row, in chunks; `grades` are by label, others are 0.

    The topic is Mixpeek's id of the run. Blanks, which separate the columns, become underscores.
    """
    for batch in _batches(rows):
        lines = []
        for row in batch:
            topic = _BLANKS.sub("_", row["execution_id"])
            document = _BLANKS.sub("_", row["document_id"])
            lines.append(f"{topic} 0 {document} {grades.get(row['label'], 0)}\n")
        yield "".join(lines).encode()


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, _CHUNK_ROWS)):
        yield batch


def _csv_value(value: Any, zone: tzinfo) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return _localized(value, zone)


def _localized(value: Any, zone: tzinfo) -> Any:
    """Return an instant as ISO 8601 with the offset of the zone, any other value as it is."""
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    return value
