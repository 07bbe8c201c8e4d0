"""The far side of the wire: one shared sandbox process, a document of its own for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from django.utils import timezone

from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.retrievers.models import Result, Retriever
from tests.sandbox_data import document_json, retriever_json, write_data_folder
from tests.tools.sandbox.running import Box, SharedSandboxes

# The first hundred are those that tests name themselves.
_documents = itertools.count(100)


@pytest.fixture(scope="session")
def shared_box(tmp_path_factory: pytest.TempPathFactory, sandboxes: SharedSandboxes) -> Box:
    """A sandbox with one retriever and a thousand documents that nobody has annotated."""
    folder = write_data_folder(
        tmp_path_factory.mktemp("upstream"),
        retrievers=[retriever_json(retriever_id="ret_logos", retriever_name="logos")],
        documents=[document_json(number, document_id=f"doc_{number}") for number in range(1000)],
    )
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
def mirrored_retriever(db: None) -> Retriever:
    """The sandbox's retriever, mirrored here."""
    return Retriever.objects.create(retriever_id="ret_logos", name="logos", seen_at=timezone.now())


@pytest.fixture
def annotation(mixpeek_client: Client, mirrored_retriever: Retriever) -> Annotation:
    """A machine-made annotation upstream, mirrored here."""
    record = mixpeek_client.create_annotation(
        document_id=f"doc_{next(_documents)}",
        label="logo",
        confidence=0.4,
        retriever_id="ret_logos",
    )
    absorb.absorb([record])
    return Annotation.objects.get(annotation_id=record.annotation_id)


@pytest.fixture
def unannotated(mirrored_retriever: Retriever) -> Annotation:
    """A result nobody has annotated yet."""
    document_id = f"doc_{next(_documents)}"
    result = Result.objects.create(
        retriever=mirrored_retriever, document_id=document_id, snapshot={"title": "Van"}, digest="0"
    )
    absorb.attach_results([result])
    return Annotation.objects.get(document_id=document_id)
