"""Data folders for a sandbox: as many retrievers, documents and machine-made annotations as a test wants."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.sandbox.running import Box

INPUTS = {
    "query": {"type": "string", "required": True, "description": "What to look for", "examples": ["van", "logo"]},
    "most": {"type": "integer", "default": 500},
    "kind": {"type": "string", "enum": ["photo", "scan"]},
}


def stage(stage_id: str, kind: str, **parameters: Any) -> dict[str, Any]:
    """Return one stage of a pipeline."""
    return {
        "stage_name": stage_id,
        "stage_type": kind,
        "config": {"stage_id": stage_id, "parameters": parameters},
        "parameters": parameters,
    }


def retriever(**values: Any) -> dict[str, Any]:
    """Return a retriever that searches for its input `query`."""
    return {
        "retriever_id": "ret_vans",
        "retriever_name": "vans",
        "description": "Finds vans",
        "tags": ["logos"],
        "collection_identifiers": ["col_photos"],
        "stages": [stage("feature_search", "filter", query="{{INPUT.query}}")],
        "input_schema": INPUTS,
    } | values


def document(number: int, **values: Any) -> dict[str, Any]:
    """Return a document whose text speaks of a van."""
    return {
        "document_id": f"doc_{number:05}",
        "collection_id": "col_photos",
        "title": f"Van {number}",
        "text": f"A blue logo on van number {number}.",
    } | values


def annotation(number: int, **values: Any) -> dict[str, Any]:
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


def write(folder: Path, **kinds: Iterable[dict[str, Any]]) -> Path:
    """Write the data folder of a sandbox and return it; kinds are retrievers, documents and annotations."""
    for kind in ("retrievers", "documents", "annotations"):
        lines = "".join(f"{json.dumps(row)}\n" for row in kinds.get(kind, ()))
        (folder / f"{kind}.jsonl").write_text(lines)
    return folder


def annotate(box: Box, *numbers: int) -> list[str]:
    """Create one more annotation upstream for each of these documents and return their ids."""
    rows = [{"document_id": f"doc_{number:05}", "label": "new", "retriever_id": "ret_vans"} for number in numbers]
    results = box.call("POST", "/v1/annotations/bulk", json={"create": rows}).json()["results"]
    return [row["annotation_id"] for row in results]


def delete(box: Box, *annotation_ids: str) -> None:
    """Delete annotations upstream."""
    reply = box.call("POST", "/v1/annotations/bulk", json={"delete": annotation_ids}).json()
    assert reply["deleted_count"] == len(annotation_ids)


def listed(box: Box) -> set[str]:
    """Return the ids of all annotations upstream (500 at most)."""
    rows = box.call("POST", "/v1/annotations/list?limit=500").json()["results"]
    return {row["annotation_id"] for row in rows}
