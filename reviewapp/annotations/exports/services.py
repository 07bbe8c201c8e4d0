"""Make an export: record it, write its file, and put counts and checksum into its manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone

from reviewapp.annotations.exports import formats, rows
from reviewapp.annotations.exports.filters import ExportKind, parse_filter
from reviewapp.annotations.exports.formats import Format
from reviewapp.annotations.models import Annotation, Export
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import acting, tracing
from reviewapp.audit.filters import EventFilter

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

_COLUMNS = {
    ExportKind.DECISIONS: rows.DECISION_COLUMNS,
    ExportKind.LABELS: rows.LABEL_COLUMNS,
    ExportKind.HISTORY: rows.HISTORY_COLUMNS,
}


def matches_anything(options: dict[str, Any]) -> bool:
    """Return whether the filter of a valid `ExportForm` leaves anything to export."""
    return _matching(options["kind"], options["format"], options["filter"]).exists()


def create_export(options: dict[str, Any], *, actor: User | None) -> Export:
    """Record an export with the options of a valid `ExportForm`; None is the command line."""
    with acting(actor):
        return Export.objects.create(
            kind=options["kind"],
            format=options["format"],
            query=options["filter"],
            options={name: options[name] for name in ("with_snapshot", "grades", "zone")},
            person=actor,
        )


def file_chunks(
    export: Export,
    *,
    base_url: str,
    actor: User | None,
    origin: Origin = Origin.WEB,
) -> Iterator[bytes]:
    """Yield the file, read as of one instant, and complete the manifest at its end.

    `actor` is who reads it, maybe another one than who made the export; None is the command line.
    An export whose file nobody read to the end stays unfinished.
    """
    counted = _Counter(_rows(export, base_url))
    digest = hashlib.sha256()
    size = 0
    for chunk in _format(export, counted):
        digest.update(chunk)
        size += len(chunk)
        yield chunk

    with tracing(origin), acting(actor):
        Export.objects.filter(pk=export.pk).update(
            rows=counted.number,
            size=size,
            sha256=digest.hexdigest(),
            finished_at=timezone.now(),
        )


def manifest(export: Export) -> dict[str, Any]:
    """Return what is said beside the file; counts and checksum are null until it is complete."""
    return {
        "file": export.filename,
        "kind": export.kind,
        "format": export.format,
        "filter": export.query,
        **export.options,
        "person": export.person.get_username() if export.person else None,
        "requested_at": export.created_at.isoformat(),
        "finished_at": export.finished_at.isoformat() if export.finished_at else None,
        "rows": export.rows,
        "bytes": export.size,
        "sha256": export.sha256 or None,
    }


class _Counter:
    """An iterator that counts what it yields."""

    def __init__(self, counted: Iterator[rows.Row]) -> None:
        self._counted = counted
        self.number = 0

    def __iter__(self) -> Iterator[rows.Row]:
        for row in self._counted:
            self.number += 1
            yield row


def _matching(kind: str, format: str, query: str) -> QuerySet[Any]:
    """Return what a filter without problems leaves; qrels hold what was decided for a run."""
    matching = parse_filter(kind, query)
    if isinstance(matching, EventFilter):
        return matching.events()
    if kind == ExportKind.DECISIONS:
        return matching.decisions()

    annotations = matching.annotations()
    if format == Format.QRELS:
        decided = annotations.filter(status=Annotation.Status.DECIDED)
        return decided.exclude(execution_id="")
    return annotations


def _rows(export: Export, base_url: str) -> Iterator[rows.Row]:
    matching: Any = _matching(export.kind, export.format, export.query)
    if export.kind == ExportKind.HISTORY:
        return rows.history_rows(matching)

    options = {"base_url": base_url, "with_snapshot": export.options["with_snapshot"]}
    if export.kind == ExportKind.LABELS:
        return rows.label_rows(matching, **options)
    return rows.decision_rows(matching, **options)


def _format(export: Export, counted: _Counter) -> Iterator[bytes]:
    zone = ZoneInfo(export.options["zone"])
    if export.format == Format.CSV:
        return formats.csv_chunks(counted, _COLUMNS[ExportKind(export.kind)], zone)
    if export.format == Format.JSONL:
        return formats.jsonl_chunks(counted, zone)
    return formats.qrels_chunks(counted, export.options["grades"])
