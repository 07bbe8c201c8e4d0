"""The far side of the wire: a sandbox process shared by these tests, with a document of its own for each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reviewapp.mixpeek.client import Client
from tests.sandbox.running import Box, running_sandbox


@pytest.fixture(scope="session")
def shared_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A sandbox with one retriever and a hundred documents that nobody has annotated."""
    folder = tmp_path_factory.mktemp("upstream")
    _write(folder, "retrievers", [_retriever()])
    _write(folder, "documents", [_document(number) for number in range(100)])
    _write(folder, "annotations", [])
    with running_sandbox(data=folder) as box:
        yield box


@pytest.fixture
def box(shared_box: Box) -> Iterator[Box]:
    """The sandbox, with no faults scripted and no requests recorded."""
    shared_box.clear()
    yield shared_box
    shared_box.clear()


@pytest.fixture
def mixpeek_client(box: Box) -> Iterator[Client]:
    """Our client, pointed at the sandbox, impatient."""
    with Client(base_url=box.url, api_key=box.key, namespace=box.namespace, timeout=(2, 2)) as client:
        yield client


def _write(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def _retriever() -> dict[str, object]:
    parameters = {"query": "{{INPUT.query}}"}
    return {
        "retriever_id": "ret_logos",
        "retriever_name": "logos",
        "collection_identifiers": ["col_photos"],
        "stages": [
            {
                "stage_name": "search",
                "stage_type": "filter",
                "config": {"stage_id": "feature_search", "parameters": parameters},
                "parameters": parameters,
            }
        ],
        "input_schema": {"query": {"type": "string", "required": True}},
    }


def _document(number: int) -> dict[str, object]:
    return {
        "document_id": f"doc_{number}",
        "collection_id": "col_photos",
        "title": f"Van {number}",
        "text": f"A blue logo on van number {number}.",
    }
