"""Retrievers as Mixpeek would show and list them, from our mirror."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import DateTimeField, Q, Value
from django.db.models.functions import Coalesce

from reviewapp.api.annotations.render import instant
from reviewapp.api.errors import not_found
from reviewapp.api.pager import order_of, part, texts_of
from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Retriever, UpstreamRetriever
from reviewapp.retrievers.querysets import RetrieverQuerySet

Json = dict[str, Any]
_TEXTS = {"retriever_id": "retriever_id", "retriever_name": "name"}
_LISTS = {"tags": "tags", "collection_ids": "collection_ids", "collection_identifiers": "collection_ids"}
_ORDERS = {
    **_TEXTS,
    "version": "version",
    "created_at": "created",
    "updated_at": "updated",
    "description": "description",
}
_MOST_TAGS = 100
# Servers of the older dialect spell these differently; what they mean stands in our columns.
_OLDER_KEYS = {"name", "pipeline_id"}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A retriever, what Mixpeek sent of it, and how many of its edits wait for delivery (each makes a version)."""

    row: Retriever
    body: Json
    queued: int

    @property
    def etag(self) -> str:
        """What `If-Match` compares."""
        values = json.dumps([self.row.name, self.row.description, self.row.tags])
        return f'"{self.row.version + self.queued}-{hashlib.sha256(values.encode()).hexdigest()[:12]}"'

    def json(self) -> Json:
        """Return the retriever as Mixpeek sent it, with our edits that are not delivered yet on top."""
        row = self.row
        ours = {
            "retriever_id": row.retriever_id,
            "retriever_name": row.name,
            "description": row.description or None,
            "tags": row.tags,
            "version": row.version + self.queued,
        }
        if "retriever_name" not in self.body:
            return self._in_present_spelling() | ours
        # Mixpeek may spell nothing as null, as "" or as []: its own spelling stays.
        differing = {name: value for name, value in ours.items() if (self.body.get(name) or None) != (value or None)}
        return self.body | differing

    def _in_present_spelling(self) -> Json:
        row = self.row
        sent = {name: value for name, value in self.body.items() if name not in _OLDER_KEYS}
        return sent | {
            "stages": [_stage(stage) for stage in row.stages if isinstance(stage, dict)],
            "input_schema": row.input_schema,
            "collection_ids": row.collection_ids,
            "collection_identifiers": row.collection_ids,
            "budget_limits": row.budget_limits or None,
            "created_at": instant(row.created_at),
            "updated_at": instant(row.updated_at),
            "fusion": self.body.get("fusion"),
        }


def show(rows: Iterable[Retriever]) -> list[Shown]:
    """Return the rows with what Mixpeek sent of them and the number of their undelivered edits. Two queries."""
    rows = list(rows)
    queued = Change.objects.filter(ref__in=[row.ref for row in rows], state=Change.State.QUEUED)
    counts = Counter(queued.values_list("ref", flat=True))
    sent = UpstreamRetriever.objects.filter(retriever__in=rows)
    bodies = dict(sent.values_list("retriever_id", "body"))
    return [Shown(row=row, body=bodies.get(row.pk, {}), queued=counts[row.ref]) for row in rows]


def find(name: str) -> Retriever:
    """Return the retriever with this id, else with this name; raises a 404."""
    present = Retriever.objects.present()
    found = present.filter(retriever_id=name).first() or present.filter(name=name).first()
    if found is None:
        raise not_found("retriever", name)
    return found


def page(asked: Mapping[str, Any], pager: Mapping[str, Any]) -> Json:
    """Return Mixpeek's list reply: the page of what matches that the pager asks for, oldest here first.

    That order never changes, so that a walk by cursor meets each retriever once whatever is renamed meanwhile.
    """
    matching = _matching(asked)
    total = matching.count()
    ordered = matching.annotate(created=_known("created_at"), updated=_known("updated_at"))
    order = [*order_of(asked, _ORDERS), "id"]
    found = part(ordered, pager, order)

    counted = pager["include_total"]
    pages = {
        "total": total if counted else None,
        "total_pages": math.ceil(total / found.size) if counted else None,
        "page": found.start // found.size + 1,
        "page_size": found.size,
        "next_page": None,
        "previous_page": None,
        "next_cursor": found.next_cursor,
    }
    results = [shown.json() for shown in show(found.rows)]
    return {"results": results, "total": total, "pagination": pages, "warnings": None}


def _known(column: str) -> Coalesce:
    """Return a date that orders go by: what has none comes before all others."""
    return Coalesce(column, Value(datetime(1970, 1, 1, tzinfo=UTC)), output_field=DateTimeField())


def _matching(asked: Mapping[str, Any]) -> RetrieverQuerySet:
    rows, words = Retriever.objects.present(), asked.get("search")
    if words:
        how = "contains" if asked.get("case_sensitive") else "icontains"
        rows = rows.filter(Q(**{f"name__{how}": words}) | Q(**{f"description__{how}": words}))
    for name, texts in texts_of(asked.get("filters") or {}, _TEXTS | _LISTS).items():
        rows = rows.filter(_condition(name, texts))
    return rows


def _condition(name: str, texts: list[str]) -> Q:
    if name in _TEXTS:
        return Q(**{f"{_TEXTS[name]}__in": texts})
    condition = Q(pk__in=[])
    for text in texts[:_MOST_TAGS]:
        condition |= Q(**{f"{_LISTS[name]}__contains": [text]})
    return condition


def _stage(stage: Mapping[str, Any]) -> Json:
    """Return a stage in Mixpeek's present spelling, whichever dialect we mirrored it from."""
    config = stage.get("config") if isinstance(stage.get("config"), dict) else {}
    assert isinstance(config, dict)
    parameters = stage.get("parameters") or config.get("parameters")
    return {
        **{name: value for name, value in stage.items() if name != "name"},
        "stage_name": stage.get("stage_name") or stage.get("name") or str(config.get("stage_id") or "stage"),
        "config": config,
        "parameters": parameters if isinstance(parameters, dict) else {},
    }
