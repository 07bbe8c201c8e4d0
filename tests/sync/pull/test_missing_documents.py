"""The page of an item says what Mixpeek answered for a document that is not here, and when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.retrievers.models import MissingDocument
from reviewapp.sync.pull.run import pull
from tests.factories import make_annotation
from tests.sandbox_data import annotation_json, document_json, retriever_json, write_data_folder
from tests.tools.sandbox.running import Box, SharedSandboxes

pytestmark = pytest.mark.django_db
BATCH = "/v1/documents/batch"


@pytest.fixture
def box(tmp_path: Path, sandboxes: SharedSandboxes) -> Box:
    """A sandbox with two annotated documents, of which it has the first."""
    folder = write_data_folder(
        tmp_path,
        retrievers=[retriever_json()],
        documents=[document_json(0)],
        annotations=[annotation_json(0), annotation_json(1)],
    )
    return sandboxes.namespace(folder)


@pytest.fixture
def client(box: Box) -> Iterator[Client]:
    with Client(base_url=box.url, api_key=box.key, namespace=box.namespace) as client:
        yield client


def page_of(browser: Browser, annotation: Annotation) -> str:
    page = browser.get(reverse("review", args=[annotation.pk])).content.decode()
    return " ".join(page.split())


def test_it_says_that_mixpeek_does_not_have_it_and_when_it_said_so(
    client: Client, alice_client: Browser
) -> None:
    pull(client=client)
    missing = MissingDocument.objects.get()
    assert (missing.document_id, missing.problem) == ("doc_00001", "")
    annotation = Annotation.objects.get(document_id="doc_00001")
    page = page_of(alice_client, annotation)
    assert "Document not found at Mixpeek" in page
    assert missing.requested_at.isoformat() in page
    assert "Wait for the next pull" not in page

    first = missing.requested_at
    pull(client=client)
    assert MissingDocument.objects.get().requested_at > first


def test_it_is_forgotten_once_the_document_has_come(client: Client) -> None:
    now = timezone.now()
    MissingDocument.objects.create(document_id="doc_00000", requested_at=now)
    pull(client=client)
    assert not MissingDocument.objects.filter(document_id="doc_00000").exists()


def test_it_says_why_an_answer_could_not_be_used(alice_client: Browser) -> None:
    annotation = make_annotation(result=None)
    MissingDocument.objects.create(
        document_id=annotation.document_id,
        problem="<b>The document is larger than 1 MiB.</b>",
        requested_at=timezone.now(),
    )
    page = page_of(alice_client, annotation)
    assert "Document not readable" in page
    assert "&lt;b&gt;The document is larger than 1 MiB." in page


def test_it_keeps_the_promise_before_anybody_has_asked(alice_client: Browser) -> None:
    page = page_of(alice_client, make_annotation(result=None))
    assert "Wait for the next pull before you decide." in page


def test_it_says_why_after_a_pull(client: Client, box: Box) -> None:
    """A document whose record is unreadable is missing for another reason than an unknown id."""
    box.faults([{"method": "POST", "path": BATCH, "status": 422, "times": 8}])
    pull(client=client)
    problems = MissingDocument.objects.values_list("problem", flat=True)
    assert len(problems) == 2
    assert all(problems)
