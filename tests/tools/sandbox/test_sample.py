"""The sample namespace: the same each time, whole, and varied enough to argue about."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.official_sdk import mixpeek
from tests.tools.sandbox.running import Box, running_sandbox
from tools.sandbox.sample import write_sample

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


@pytest.fixture(scope="module")
def sample_box() -> Iterator[Box]:
    with running_sandbox() as box:
        yield box


def _rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def test_it_comes_out_the_same_each_time(sample: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, with_media=False)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["annotations.jsonl", "documents.jsonl", "executions.jsonl", "retrievers.jsonl"]
    for name in names:
        assert (tmp_path / name).read_bytes() == (sample / name).read_bytes()


def test_it_has_a_file_or_a_reason_for_every_blob(sample: Path) -> None:
    blobs = []
    for document in _rows(sample, "documents"):
        blobs += document["document_blobs"]
    lost = [blob for blob in blobs if blob.get("unavailable_reason")]
    assert lost
    for blob in blobs:
        assert blob in lost or (sample / blob["url"]).stat().st_size == blob["size_bytes"]
    assert sum(path.stat().st_size for path in (sample / "media").iterdir()) < 5_000_000


def test_it_is_varied(sample: Path) -> None:
    documents = _rows(sample, "documents")
    annotations = _rows(sample, "annotations")
    text = json.dumps(documents, ensure_ascii=False)
    assert len(documents) >= 600

    all_ids = {document["document_id"] for document in documents}
    annotated_ids = {annotation["document_id"] for annotation in annotations}
    assert len(all_ids - annotated_ids) > 50

    assert any(len(document.get("text", "")) > 3000 for document in documents)
    scripts = {unicodedata.name(letter, "?").partition(" ")[0] for letter in set(text)}
    assert {"ARABIC", "HEBREW", "HIRAGANA", "DEVANAGARI", "GREEK"} <= scripts

    assert {annotation["actor_type"] for annotation in annotations} == {"system"}
    assert sum(annotation["version"] > 1 for annotation in annotations) > 20
    for annotation in annotations:
        assert len(annotation["revisions"]) == annotation["version"] - 1
        if annotation["retriever_id"] == "ret_clinical_coding":
            assert "codes_approved" in annotation["payload"]


def test_it_is_what_the_official_client_expects(sample_box: Box, sample: Path) -> None:
    runs = _rows(sample, "executions")
    with sample_box.sdk() as client:
        annotations = mixpeek.AnnotationsApi(client).list_annotations(skip=0, limit=500)
        assert annotations.total_count > 500
        retrievers = mixpeek.RetrieversApi(client)
        for row in retrievers.list_retrievers(page_size=10).results:
            of_the_sample = [
                run["execution_id"] for run in runs if run["retriever_id"] == row.retriever_id
            ]
            # Other tests of this sandbox run retrievers, too.
            listed = retrievers.list_executions_retrievers(row.retriever_id, limit=100).results
            assert len(of_the_sample) == 3
            assert set(of_the_sample) <= {run.execution_id for run in listed}


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("brand_logo_triage", {"query": "Okuni poster"}),
        ("brand_logo_triage", {"query": "看板"}),
        ("clinical_coding_review", {"query": "burning feet", "max_score": 0.9}),
        ("clinical_coding_review", {"query": "الدواء"}),
        ("duplicate_and_moderation", {}),
        ("duplicate_and_moderation", {"words": "invoice", "media_type": "pdf", "has_twin": True}),
    ],
)
def test_it_runs_every_retriever(sample_box: Box, name: str, inputs: dict[str, Any]) -> None:
    body = {"inputs": inputs, "limit": 500, "return_presigned_urls": True}
    reply = sample_box.call("POST", f"/v1/retrievers/{name}/execute", json=body).json()
    assert reply["status"] == "completed"
    assert 0 < len(reply["documents"]) < 230
    ids = [document["document_id"] for document in reply["documents"]]
    with sample_box.sdk() as client:
        request = mixpeek.BatchGetDocumentsRequest(document_ids=ids)
        for document in mixpeek.DocumentsApi(client).batch_get(request).documents:
            assert all(
                blob.presigned_url or blob.unavailable_reason for blob in document.document_blobs
            )


def test_it_serves_its_media(sample_box: Box) -> None:
    body = {"inputs": {}, "limit": 60, "return_presigned_urls": True}
    address = "/v1/retrievers/duplicate_and_moderation/execute"
    reply = sample_box.call("POST", address, json=body).json()
    kinds = {}
    for document in reply["documents"]:
        for blob in document["document_blobs"]:
            if blob.get("presigned_url"):
                kinds[blob["type"]] = blob
    assert set(kinds) == {"audio", "video", "pdf", "image"}
    for blob in kinds.values():
        reply = sample_box.session.get(blob["presigned_url"], timeout=60)
        assert (reply.status_code, reply.headers["content-type"]) == (200, blob["content_type"])


def test_it_lives_in_whichever_namespace_is_named() -> None:
    with running_sandbox(extra_args=["--namespace", "ns_other"]) as box:
        reply = box.call("POST", "/v1/retrievers/duplicate_and_moderation/execute", json={}).json()
        listed = box.call("POST", "/v1/annotations/list?limit=1").json()
    assert (len(reply["documents"]), listed["results"][0]["namespace_id"]) == (10, "ns_other")
