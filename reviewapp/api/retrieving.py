"""Retrievers as Mixpeek would show and list them, from our mirror."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OrderBy, Q

from reviewapp.api import cursors
from reviewapp.api.errors import not_found, wrong
from reviewapp.api.shapes.retrievers import DEFAULT_PER_PAGE
from reviewapp.api.showing import instant
from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Retriever
from reviewapp.retrievers.queries import RetrieverQuerySet

Json = dict[str, Any]
_TEXTS = {"retriever_id": "retriever_id", "retriever_name": "name"}
_LISTS = {"tags": "tags", "collection_ids": "collection_ids", "collection_identifiers": "collection_ids"}
_ORDERS = {
    **_TEXTS,
    "version": "version",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "description": "description",
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A retriever and how many of its edits wait for delivery, each of which will make a version."""

    row: Retriever
    queued: int

    @property
    def etag(self) -> str:
        """What `If-Match` compares."""
        values = json.dumps([self.row.name, self.row.description, self.row.tags])
        return f'"{self.row.version + self.queued}-{hashlib.sha256(values.encode()).hexdigest()[:12]}"'

    def json(self) -> Json:
        """Return Mixpeek's retriever object, as far as we mirror it."""
        row = self.row
        return {
            "retriever_id": row.retriever_id,
            "retriever_name": row.name,
            "description": row.description or None,
            "tags": row.tags,
            "stages": [_stage(stage) for stage in row.stages if isinstance(stage, dict)],
            "input_schema": row.input_schema,
            "collection_ids": row.collection_ids,
            "collection_identifiers": row.collection_ids,
            "budget_limits": row.budget_limits or None,
            "version": row.version + self.queued,
            "created_at": instant(row.created_at),
            "updated_at": instant(row.updated_at),
            "fusion": None,
        }


def show(rows: Iterable[Retriever]) -> list[Shown]:
    """Return the rows with the number of their undelivered edits. One query."""
    rows = list(rows)
    queued = Change.objects.filter(ref__in=[row.ref for row in rows], state=Change.State.QUEUED)
    counts = Counter(queued.values_list("ref", flat=True))
    return [Shown(row=row, queued=counts[row.ref]) for row in rows]


def find(name: str) -> Retriever:
    """Return the retriever with this id, else with this name; raises a 404."""
    present = Retriever.objects.present()
    found = present.filter(retriever_id=name).first() or present.filter(name=name).first()
    if found is None:
        raise not_found("retriever", name)
    return found


def page(asked: Mapping[str, Any], pager: Mapping[str, Any]) -> Json:
    """Return Mixpeek's list reply: the page that the pager asks for of what matches, by name unless sorted."""
    size = pager.get("limit") or pager.get("page_size") or DEFAULT_PER_PAGE
    start = _start(pager, size)
    matching = _matching(asked)
    total = matching.count()
    rows = show(matching.order_by(*_orders(asked), "name", "id")[start : start + size])
    more = start + len(rows) < total
    pages = {
        "total": total if pager["include_total"] else None,
        "total_pages": -(-total // size) if pager["include_total"] else None,
        "page": start // size + 1,
        "page_size": size,
        "next_page": None,
        "previous_page": None,
        "next_cursor": cursors.pack(start=start + size) if more else None,
    }
    return {"results": [each.json() for each in rows], "total": total, "pagination": pages, "warnings": None}


def _start(pager: Mapping[str, Any], size: int) -> int:
    cursor = pager.get("cursor") or pager.get("next_cursor") or pager.get("after")
    if cursor:
        return cursors.unpack(cursor, "start")[0]
    offset: int | None = pager.get("offset")
    return offset if offset is not None else ((pager.get("page") or 1) - 1) * size


def _matching(asked: Mapping[str, Any]) -> RetrieverQuerySet:
    rows, words = Retriever.objects.present(), asked.get("search")
    if words:
        how = "contains" if asked.get("case_sensitive") else "icontains"
        rows = rows.filter(Q(**{f"name__{how}": words}) | Q(**{f"description__{how}": words}))
    for name, value in (asked.get("filters") or {}).items():
        rows = rows.filter(_condition(name, value))
    return rows


def _condition(name: str, value: Any) -> Q:
    wanted = value.get("$in") if isinstance(value, dict) and set(value) == {"$in"} else [value]
    if name not in _TEXTS | _LISTS:
        accepted = ", ".join(_TEXTS | _LISTS)
        raise wrong("body", "filters", name[:100], message=f"Filters are offered on {accepted}.")
    if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
        raise wrong("body", "filters", name, message='This must be a text or {"$in": [texts]}.')
    if name in _TEXTS:
        return Q(**{f"{_TEXTS[name]}__in": wanted})
    found = Q(pk__in=[])
    for one in wanted[:100]:
        found |= Q(**{f"{_LISTS[name]}__contains": [one]})
    return found


def _orders(asked: Mapping[str, Any]) -> Sequence[OrderBy]:
    sorts = asked.get("sorts") or ([asked["sort"]] if asked.get("sort") else [])
    orders = []
    for number, sort in enumerate(sorts[:10]):
        if sort["field"] not in _ORDERS:
            raise wrong("body", "sorts", number, "field", message=f"Orders are offered by {', '.join(_ORDERS)}.")
        column = F(_ORDERS[sort["field"]])
        descending = sort.get("direction") == "desc"
        orders.append(column.desc(nulls_last=True) if descending else column.asc(nulls_first=True))
    return orders


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
