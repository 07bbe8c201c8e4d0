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

from reviewapp.api.annotations.render import iso_utc
from reviewapp.api.errors import not_found
from reviewapp.api.pager import paginate_queryset, parse_filters, parse_sort
from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Retriever, UpstreamRetriever

Json = dict[str, Any]
_TEXT_FILTERS = {"retriever_id": "retriever_id", "retriever_name": "name"}
_LIST_FILTERS = {
    "tags": "tags",
    "collection_ids": "collection_ids",
    "collection_identifiers": "collection_ids",
}
_ORDERS = {
    **_TEXT_FILTERS,
    "version": "version",
    "created_at": "created",
    "updated_at": "updated",
    "description": "description",
}
_MAX_LIST_VALUES = 100
# Keys of the older dialect; our columns have their values.
_OLD_DIALECT_KEYS = {"name", "pipeline_id"}


@dataclass(frozen=True, kw_only=True)
class RenderedRetriever:
    """A retriever with Mixpeek's own body and the number of its queued edits.

    Each queued edit counts as a version.
    """

    row: Retriever
    body: Json
    queued: int

    @property
    def etag(self) -> str:
        """The tag for `If-Match`, made of the version and a digest of the editable values."""
        values = json.dumps([self.row.name, self.row.description, self.row.tags])
        digest = hashlib.sha256(values.encode()).hexdigest()[:12]
        return f'"{self.row.version + self.queued}-{digest}"'

    def json(self) -> Json:
        """Return the retriever as Mixpeek sent it, with our queued edits applied."""
        row = self.row
        ours = {
            "retriever_id": row.retriever_id,
            "retriever_name": row.name,
            "description": row.description or None,
            "tags": row.tags,
            "version": row.version + self.queued,
        }
        if "retriever_name" not in self.body:
            body = dict(self.body)
            for key in _OLD_DIALECT_KEYS:
                body.pop(key, None)

            stages = []
            for stage in row.stages:
                if isinstance(stage, dict):
                    stages.append(render_stage(stage))
            current_dialect = {
                "stages": stages,
                "input_schema": row.input_schema,
                "collection_ids": row.collection_ids,
                "collection_identifiers": row.collection_ids,
                "budget_limits": row.budget_limits or None,
                "created_at": iso_utc(row.created_at),
                "updated_at": iso_utc(row.updated_at),
                "fusion": self.body.get("fusion"),
            }
            return body | current_dialect | ours

        differing = {}
        for name, value in ours.items():
            # Mixpeek may send an empty value as null, "" or []: its own spelling stays.
            if (self.body.get(name) or None) != (value or None):
                differing[name] = value
        return self.body | differing


def render_retrievers(rows: Iterable[Retriever]) -> list[RenderedRetriever]:
    """Return the rows with Mixpeek's bodies and their numbers of queued edits. Two queries."""
    rows = list(rows)
    refs = [row.ref for row in rows]
    queued = Change.objects.filter(ref__in=refs, state=Change.State.QUEUED)
    counts = Counter(queued.values_list("ref", flat=True))
    upstream = UpstreamRetriever.objects.filter(retriever__in=rows)
    bodies = dict(upstream.values_list("retriever_id", "body"))

    rendered = []
    for row in rows:
        body = bodies.get(row.pk, {})
        rendered.append(RenderedRetriever(row=row, body=body, queued=counts[row.ref]))
    return rendered


def get_retriever(name: str) -> Retriever:
    """Return the retriever with this id, else with this name; raises a 404."""
    present = Retriever.objects.present()
    retriever = present.filter(retriever_id=name).first() or present.filter(name=name).first()
    if retriever is None:
        raise not_found("retriever", name)
    return retriever


def list_retrievers(data: Mapping[str, Any], pager: Mapping[str, Any]) -> Json:
    """Return a page of the matching retrievers as Mixpeek's list reply, oldest in our mirror first.

    This order never changes, so paging by cursor returns each retriever once, even if it is renamed
    meanwhile.
    """
    matching = Retriever.objects.present()
    search = data.get("search")
    if search:
        lookup = "contains" if data.get("case_sensitive") else "icontains"
        in_name = Q(**{f"name__{lookup}": search})
        in_description = Q(**{f"description__{lookup}": search})
        matching = matching.filter(in_name | in_description)

    filters = parse_filters(data.get("filters") or {}, _TEXT_FILTERS | _LIST_FILTERS)
    for name, texts in filters.items():
        matching = matching.filter(_condition(name, texts))

    total = matching.count()
    ordered = matching.annotate(
        created=_date_or_epoch("created_at"),
        updated=_date_or_epoch("updated_at"),
    )
    order = [*parse_sort(data, _ORDERS), "id"]
    page = paginate_queryset(ordered, pager, order)

    includes_total = pager["include_total"]
    pagination = {
        "total": total if includes_total else None,
        "total_pages": math.ceil(total / page.size) if includes_total else None,
        "page": page.start // page.size + 1,
        "page_size": page.size,
        "next_page": None,
        "previous_page": None,
        "next_cursor": page.next_cursor,
    }
    results = [retriever.json() for retriever in render_retrievers(page.rows)]
    return {"results": results, "total": total, "pagination": pagination, "warnings": None}


def _date_or_epoch(column: str) -> Coalesce:
    """Return a date to sort by; rows without one come first."""
    return Coalesce(column, Value(datetime(1970, 1, 1, tzinfo=UTC)), output_field=DateTimeField())


def _condition(name: str, texts: list[str]) -> Q:
    if name in _TEXT_FILTERS:
        return Q(**{f"{_TEXT_FILTERS[name]}__in": texts})
    condition = Q(pk__in=[])
    for text in texts[:_MAX_LIST_VALUES]:
        condition |= Q(**{f"{_LIST_FILTERS[name]}__contains": [text]})
    return condition


def render_stage(stage: Mapping[str, Any]) -> Json:
    """Return a stage in Mixpeek's current dialect, whichever dialect we mirrored it from."""
    config = stage.get("config") if isinstance(stage.get("config"), dict) else {}
    assert isinstance(config, dict)
    parameters = stage.get("parameters") or config.get("parameters")
    fallback_name = str(config.get("stage_id") or "stage")
    stage_name = stage.get("stage_name") or stage.get("name") or fallback_name
    rest = {key: value for key, value in stage.items() if key != "name"}
    return {
        **rest,
        "stage_name": stage_name,
        "config": config,
        "parameters": parameters if isinstance(parameters, dict) else {},
    }
