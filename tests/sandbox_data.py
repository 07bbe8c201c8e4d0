"""Data folders for a sandbox: rows of JSON as Mixpeek writes them.

Rows of our own database are in `factories.py`.

Two sets of data: photographs of vans with machine-made annotations, and fruit for the sandbox's own
tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Json = dict[str, Any]

INPUTS = {
    "query": {
        "type": "string",
        "required": True,
        "description": "What to look for",
        "examples": ["van", "logo"],
    },
    "most": {"type": "integer", "default": 500},
    "kind": {"type": "string", "enum": ["photo", "scan"]},
}
FRUIT = ("apple", "pear", "plum", "fig")


def write_data_folder(folder: Path, **kinds: Iterable[Json]) -> Path:
    """Write the data folder of a sandbox: retrievers, documents and annotations; return it."""
    for kind in ("retrievers", "documents", "annotations"):
        write_lines(folder / f"{kind}.jsonl", kinds.get(kind, ()))
    return folder


def write_lines(path: Path, rows: Iterable[Json]) -> None:
    """Write rows as JSON lines."""
    lines = [f"{json.dumps(row)}\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")


def stage_json(stage_id: str, kind: str, **parameters: Any) -> Json:
    """Return one stage of a pipeline."""
    return {"stage_type": kind, **short_stage_json(stage_id, stage_id, **parameters)}


def short_stage_json(name: str, stage_id: str, **parameters: Any) -> Json:
    """Return a stage as Mixpeek returns it without the optional keys."""
    return {
        "stage_name": name,
        "config": {"stage_id": stage_id, "parameters": parameters},
        "parameters": parameters,
    }


def retriever_json(**values: Any) -> Json:
    """Return a retriever of vans that searches for its input `query`."""
    return {
        "retriever_id": "ret_vans",
        "retriever_name": "vans",
        "description": "Finds vans",
        "tags": ["logos"],
        "collection_identifiers": ["col_photos"],
        "stages": [stage_json("feature_search", "filter", query="{{INPUT.query}}")],
        "input_schema": INPUTS,
    } | values


def document_json(number: int, **values: Any) -> Json:
    """Return a document whose text speaks of a van."""
    return {
        "document_id": f"doc_{number:05}",
        "collection_id": "col_photos",
        "title": f"Van {number}",
        "text": f"A blue logo on van number {number}.",
    } | values


def annotation_json(number: int, **values: Any) -> Json:
    """Return the machine's annotation of the document with this number."""
    return {
        "annotation_id": f"ann_{number:05}",
        "document_id": f"doc_{number:05}",
        "collection_id": "col_photos",
        "retriever_id": "ret_vans",
        "label": "logo",
        "confidence": 0.25,
        "actor_id": "system",
        "actor_type": "system",
        "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-02T03:04:05Z",
    } | values


def write_fruit_folder(
    folder: Path,
    *,
    documents: list[Json] | None = None,
    annotations: list[Json] | None = None,
) -> Path:
    """Write the data folder of the fruit, with one media file, and return it."""
    media = folder / "media"
    media.mkdir(parents=True, exist_ok=True)
    (media / "tone.wav").write_bytes(bytes(range(100)))
    return write_data_folder(
        folder,
        retrievers=fruit_retrievers_json(),
        documents=documents or map(fruit_document_json, range(40)),
        annotations=annotations or map(fruit_annotation_json, range(10)),
    )


def fruit_retriever_json(name: str, *stages: Json, **values: Any) -> Json:
    """Return a retriever over every document of `col_fruit`."""
    return {
        "retriever_id": f"ret_{name}",
        "retriever_name": name,
        "collection_identifiers": ["col_fruit"],
        "stages": list(stages),
        "input_schema": {},
        **values,
    }


def fruit_document_json(number: int) -> Json:
    """Return one of the fruit documents; the 30th has its blob on disk, the 31st misses it."""
    document: Json = {
        "document_id": f"doc_{number}",
        "collection_id": "col_fruit",
        "title": f"{FRUIT[number % 4]} number {number}",
        "price": number,
        "origin": {"country": "GR" if number % 2 else "JP"},
    }
    if number in {30, 31}:
        url = "media/tone.wav" if number == 30 else "media/lost.wav"
        blob = {"field": "audio", "url": url, "type": "audio", "role": "source"}
        document["document_blobs"] = [blob]
    return document


def fruit_annotation_json(number: int) -> Json:
    """Return a machine label of the past."""
    return {
        "annotation_id": f"ann_{number}",
        "document_id": f"doc_{number}",
        "collection_id": "col_fruit",
        "label": "ripe",
        "retriever_id": "ret_all",
        "created_at": "2026-01-01T00:00:00Z",
    }


def fruit_retrievers_json() -> list[Json]:
    """Return the retrievers that the sandbox's tests run."""
    schema = {
        "query": {"type": "string", "required": True},
        "least": {"type": "number", "default": 0},
        "country": {"type": "string", "enum": ["GR", "JP"]},
    }
    return [
        fruit_retriever_json(
            "search",
            short_stage_json("find", "feature_search", query="{{INPUT.query}}"),
            short_stage_json(
                "dear", "attribute_filter", field="price", operator="gte", value="{{INPUT.least}}"
            ),
            short_stage_json(
                "country",
                "attribute_filter",
                field="origin.country",
                operator="eq",
                value="{{INPUT.country}}",
            ),
            input_schema=schema,
        ),
        fruit_retriever_json(
            "all", short_stage_json("by_price", "sort", field="price", direction="desc")
        ),
        fruit_retriever_json("broken", short_stage_json("dream", "llm_enrich", prompt="x")),
        fruit_retriever_json(
            "lenient", {**short_stage_json("dream", "llm_enrich"), "on_error": "skip"}
        ),
        fruit_retriever_json(
            "published", short_stage_json("few", "limit", limit=3), is_published=True
        ),
        fruit_retriever_json(
            "patched",
            short_stage_json("few", "limit", limit=3),
            input_schema={"a": {"type": "string"}},
        ),
    ]
