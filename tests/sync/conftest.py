"""The far side of the wire: a sandbox process shared by these tests, with a document of its own for each."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from reviewapp.annotations import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.retrievers.models import Result, Retriever
from tests.sandbox.running import Box, SharedSandboxes

# The first hundred are those that tests name themselves.
_documents = itertools.count(100)


@pytest.fixture(scope="session")
def shared_box(tmp_path_factory: pytest.TempPathFactory, sandboxes: SharedSandboxes) -> Box:
    """A sandbox with one retriever and a thousand documents that nobody has annotated."""
    folder = tmp_path_factory.mktemp("upstream")
    _write(folder, "retrievers", [_retriever()])
    _write(folder, "documents", [_document(number) for number in range(1000)])
    _write(folder, "annotations", [])
    return sandboxes.namespace(folder)


@pytest.fixture
def box(shared_box: Box) -> Iterator[Box]:
    """The sandbox, with no faults scripted and no requests recorded."""
    shared_box.clear()
    yield shared_box
    shared_box.clear()


@pytest.fixture
def mixpeek_client(box: Box) -> Iterator[Client]:
    """Our client, pointed at the sandbox."""
    with Client(base_url=box.url, api_key=box.key, namespace=box.namespace) as client:
        yield client


@pytest.fixture
def retriever(db: None) -> Retriever:
    """The sandbox's retriever, mirrored here."""
    return Retriever.objects.create(retriever_id="ret_logos", name="logos", seen_at=timezone.now())


@pytest.fixture
def annotation(mixpeek_client: Client, retriever: Retriever) -> Annotation:
    """A machine-made annotation upstream, mirrored here."""
    record = mixpeek_client.create_annotation(
        document_id=f"doc_{next(_documents)}", label="logo", confidence=0.4, retriever_id="ret_logos"
    )
    absorb.absorb([record])
    return Annotation.objects.get(annotation_id=record.annotation_id)


@pytest.fixture
def unannotated(retriever: Retriever) -> Annotation:
    """A result nobody has annotated yet."""
    document_id = f"doc_{next(_documents)}"
    result = Result.objects.create(retriever=retriever, document_id=document_id, snapshot={"title": "Van"}, digest="0")
    absorb.attach([result])
    return Annotation.objects.get(document_id=document_id)


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
