"""Small data folders for the sandbox's own tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]
FRUIT = ("apple", "pear", "plum", "fig")


def stage(name: str, stage_id: str, **parameters: Any) -> Json:
    """Return a stage as Mixpeek returns it, without the optional keys."""
    config = {"stage_id": stage_id, "parameters": parameters}
    return {"stage_name": name, "config": config, "parameters": parameters}


def retriever(name: str, *stages: Json, **more: Any) -> Json:
    """Return a retriever over every document of `col_fruit`."""
    return {
        "retriever_id": f"ret_{name}",
        "retriever_name": name,
        "collection_identifiers": ["col_fruit"],
        "stages": list(stages),
        "input_schema": {},
        **more,
    }


def document(number: int) -> Json:
    """Return one of the fruit documents; the 30th has its blob on disk, the 31st misses it."""
    kept: Json = {
        "document_id": f"doc_{number}",
        "collection_id": "col_fruit",
        "title": f"{FRUIT[number % 4]} number {number}",
        "price": number,
        "origin": {"country": "GR" if number % 2 else "JP"},
    }
    if number in {30, 31}:
        name = "media/tone.wav" if number == 30 else "media/lost.wav"
        kept["document_blobs"] = [{"field": "audio", "url": name, "type": "audio", "role": "source"}]
    return kept


def retrievers() -> list[Json]:
    """Return the retrievers the tests run."""
    schema = {
        "query": {"type": "string", "required": True},
        "least": {"type": "number", "default": 0},
        "country": {"type": "string", "enum": ["GR", "JP"]},
    }
    return [
        retriever(
            "search",
            stage("find", "feature_search", query="{{INPUT.query}}"),
            stage("dear", "attribute_filter", field="price", operator="gte", value="{{INPUT.least}}"),
            stage("country", "attribute_filter", field="origin.country", operator="eq", value="{{INPUT.country}}"),
            input_schema=schema,
        ),
        retriever("all", stage("by_price", "sort", field="price", direction="desc")),
        retriever("broken", stage("dream", "llm_enrich", prompt="x")),
        retriever("lenient", {**stage("dream", "llm_enrich"), "on_error": "skip"}),
        retriever("published", stage("few", "limit", limit=3), is_published=True),
        retriever("patched", stage("few", "limit", limit=3), input_schema={"a": {"type": "string"}}),
    ]


def annotation(number: int) -> Json:
    """Return a machine label of the past."""
    return {
        "annotation_id": f"ann_{number}",
        "document_id": f"doc_{number}",
        "collection_id": "col_fruit",
        "label": "ripe",
        "retriever_id": "ret_all",
        "created_at": "2026-01-01T00:00:00Z",
    }


def write_folder(folder: Path, *, documents: list[Json] | None = None, annotations: list[Json] | None = None) -> Path:
    """Write a data folder and return it."""
    (folder / "media").mkdir(parents=True, exist_ok=True)
    (folder / "media" / "tone.wav").write_bytes(bytes(range(100)))
    write_lines(folder / "retrievers.jsonl", retrievers())
    write_lines(folder / "documents.jsonl", documents or [document(number) for number in range(40)])
    write_lines(folder / "annotations.jsonl", annotations or [annotation(number) for number in range(10)])
    return folder


def write_lines(path: Path, rows: list[Json]) -> None:
    """Write rows as JSON lines."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
