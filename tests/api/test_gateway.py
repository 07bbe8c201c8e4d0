"""A script written for Mixpeek, run against the gateway with nothing but host and key changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.audit.models import Event
from reviewapp.mixpeek.client import Client
from reviewapp.retrievers.models import Execution
from reviewapp.sync.deliver import drain as deliver_drain
from reviewapp.sync.pull.run import pull
from tests.official_sdk import mixpeek
from tests.sandbox_data import annotation_json, document_json, retriever_json, write_data_folder
from tests.tools.sandbox.running import Box, SharedSandboxes

Connect = Callable[[str], "mixpeek.ApiClient"]


@pytest.fixture(scope="module")
def shared_box(tmp_path_factory: pytest.TempPathFactory, sandboxes: SharedSandboxes) -> Box:
    """A sandbox with twelve documents, three of them annotated."""
    folder = write_data_folder(
        Path(tmp_path_factory.mktemp("gateway")),
        retrievers=[retriever_json()],
        documents=map(document_json, range(12)),
        annotations=map(annotation_json, range(3)),
    )
    return sandboxes.namespace(folder)


@pytest.fixture
def box(shared_box: Box, settings: Settings, transactional_db: None) -> Box:
    """The sandbox behind the gateway, mirrored."""
    shared_box.clear()
    settings.MIXPEEK_BASE_URL, settings.MIXPEEK_API_KEY = shared_box.url, shared_box.key
    settings.MIXPEEK_NAMESPACE = shared_box.namespace
    with client_of(shared_box) as client:
        pull(client=client)
    return shared_box


def client_of(box: Box) -> Client:
    return Client(base_url=box.url, api_key=box.key, namespace=box.namespace, timeout=(60, 60))


def drain(box: Box) -> None:
    with client_of(box) as client:
        deliver_drain.drain(client)


def script(client: mixpeek.ApiClient) -> str:
    """Do what a script for Mixpeek does: read, page, relabel, create, and look at what it did."""
    annotations, retrievers = mixpeek.AnnotationsApi(client), mixpeek.RetrieversApi(client)
    (retriever,) = retrievers.list_retrievers(page_size=10).results
    request = mixpeek.ListAnnotationsRequest(
        retriever_id=retriever.retriever_id, document_id="doc_00001"
    )
    first = annotations.list_annotations(skip=0, limit=1, list_annotations_request=request).results[
        0
    ]
    change = mixpeek.PatchAnnotationRequest(
        label="checked", confidence=0.75, reasoning="why", metadata={"by": "me"}
    )
    after = annotations.patch_annotation(first.annotation_id, change)
    assert (after.label, after.confidence, after.reasoning, after.metadata) == (
        "checked",
        0.75,
        "why",
        {"by": "me"},
    )
    assert after.version == first.version + 1
    assert annotations.get_annotation(first.annotation_id).label == "checked"
    assert (
        annotations.get_annotation_at_version(first.annotation_id, first.version).label
        == first.label
    )
    history = annotations.get_annotation_versions(first.annotation_id)
    assert history.current_version == after.version
    total = annotations.annotation_stats().total
    new = mixpeek.CreateAnnotationRequest(
        document_id="doc_00009", label="new", retriever_id=retriever.retriever_id, payload={"a": 1}
    )
    annotation = annotations.create_annotation(new)
    assert annotations.annotation_stats().total == total + 1
    update = mixpeek.BulkAnnotationUpdate(annotation_id=annotation.annotation_id, label="bulk")
    assert (
        annotations.bulk_annotations(mixpeek.BulkAnnotationsRequest(update=[update])).updated_count
        == 1
    )
    return str(first.annotation_id)


@pytest.mark.usefixtures("transactional_db")
def test_it_runs_a_script_unchanged_and_delivers_what_it_did(
    box: Box, sdk: Connect, secret_of: Callable[..., str], alice: User
) -> None:
    annotation_id = script(sdk(secret_of(alice, "decide")))
    assert box.received(method="PATCH") == []
    drain(box)
    with box.sdk() as direct:
        there = mixpeek.AnnotationsApi(direct)
        annotation = there.get_annotation(annotation_id)
        assert (
            annotation.label,
            annotation.confidence,
            annotation.metadata,
            annotation.version,
        ) == (
            "checked",
            0.75,
            {"by": "me"},
            2,
        )
        request = mixpeek.ListAnnotationsRequest(document_id="doc_00009")
        (created,) = there.list_annotations(list_annotations_request=request).results
        assert (created.label, created.payload, created.version) == ("bulk", {"a": 1}, 2)
    (event,) = Event.objects.filter(
        action="annotation.relabelled", ref=f"annotations/{annotation_id}"
    )
    assert (event.actor_name, event.origin) == ("alice", "api")


def test_it_tells_after_delivery_what_it_foretold(
    box: Box, sdk: Connect, secret_of: Callable[..., str], alice: User
) -> None:
    annotations = mixpeek.AnnotationsApi(sdk(secret_of(alice, "decide")))
    request = mixpeek.ListAnnotationsRequest(document_id="doc_00002")
    (row,) = annotations.list_annotations(list_annotations_request=request).results
    before = annotations.patch_annotation(
        row.annotation_id, mixpeek.PatchAnnotationRequest(label="b")
    )
    drain(box)
    after = annotations.get_annotation(row.annotation_id)
    assert (after.version, after.label) == (before.version, "b")
    assert [r.prior for r in after.revisions] == [r.prior for r in before.revisions]


def test_it_executes_for_real_and_pages_within_the_run(
    box: Box, sdk: Connect, secret_of: Callable[..., str], lena: User
) -> None:
    retrievers = mixpeek.RetrieversApi(sdk(secret_of(lena, "decide")))
    pages = mixpeek.Pagination1(mixpeek.CursorPaginationParams(limit=5))
    request = mixpeek.ExecuteRetrieverRequest(inputs={"query": "van"}, pagination=pages)
    first = retrievers.execute_retriever("vans", request)
    assert (first.status, len(first.documents), first.pagination["has_next"]) == (
        "completed",
        5,
        True,
    )
    more = mixpeek.Pagination1(
        mixpeek.CursorPaginationParams(limit=50, cursor=first.pagination["cursor"])
    )
    rest = retrievers.execute_retriever(
        "ret_vans", mixpeek.ExecuteRetrieverRequest(inputs={"query": "van"}, pagination=more)
    )
    assert (rest.execution_id, len(rest.documents), rest.pagination["has_next"]) == (
        first.execution_id,
        7,
        False,
    )
    execution = Execution.objects.get(execution_id=first.execution_id)
    assert (execution.results.count(), execution.requested_by) == (12, "lena")
    assert len(box.received(path="/v1/retrievers/ret_vans/execute")) == 1


def test_it_refuses_inputs_that_the_retriever_does_not_have(
    box: Box, sdk: Connect, secret_of: Callable[..., str], lena: User
) -> None:
    retrievers = mixpeek.RetrieversApi(sdk(secret_of(lena, "decide")))
    for inputs in (
        {},
        {"query": 5},
        {"query": "x", "colour": "red"},
        {"query": "x", "kind": "film"},
    ):
        with pytest.raises(mixpeek.exceptions.UnprocessableEntityException):
            retrievers.execute_retriever("ret_vans", mixpeek.ExecuteRetrieverRequest(inputs=inputs))
    assert not Execution.objects.filter(requested_by="lena").exists()


def test_it_says_when_mixpeek_cannot_run_it(
    box: Box, sdk: Connect, secret_of: Callable[..., str], lena: User
) -> None:
    box.faults([{"method": "POST", "path": "/v1/retrievers/ret_vans/execute", "status": 503}] * 10)
    retrievers = mixpeek.RetrieversApi(sdk(secret_of(lena, "decide")))
    with pytest.raises(mixpeek.exceptions.ServiceException) as failed:
        retrievers.execute_retriever(
            "ret_vans", mixpeek.ExecuteRetrieverRequest(inputs={"query": "van"})
        )
    assert (failed.value.status, failed.value.data.error.type) == (503, "ServiceUnavailableError")
    box.clear()


def test_it_renames_a_retriever(
    box: Box, sdk: Connect, secret_of: Callable[..., str], adam: User
) -> None:
    retrievers = mixpeek.RetrieversApi(sdk(secret_of(adam, "admin")))
    request = mixpeek.PatchRetrieverRequest(description="now with words", tags=["logos", "fleet"])
    after = retrievers.patch_retriever("vans", request).retriever
    assert (after.description, after.tags) == ("now with words", ["logos", "fleet"])
    drain(box)
    with box.sdk() as direct:
        retriever = mixpeek.RetrieversApi(direct).get_retriever("ret_vans")
    assert (retriever.description, sorted(retriever.tags)) == ("now with words", ["fleet", "logos"])


def test_it_raises_what_mixpeeks_client_always_raised(
    box: Box, sdk: Connect, secret_of: Callable[..., str], alice: User, adam: User
) -> None:
    mine, admins = sdk(secret_of(alice, "decide")), sdk(secret_of(adam, "admin"))
    annotations, retrievers = mixpeek.AnnotationsApi(mine), mixpeek.RetrieversApi(admins)
    with pytest.raises(mixpeek.exceptions.NotFoundException) as missing:
        annotations.get_annotation("ann_none")
    assert missing.value.data.error.type == "NotFoundError"
    with pytest.raises(mixpeek.exceptions.UnprocessableEntityException) as wrong:
        annotations.create_annotation(
            mixpeek.CreateAnnotationRequest(document_id="d", label="x", retriever_id="none")
        )
    assert "retriever_id" in wrong.value.data.error.message
    with pytest.raises(mixpeek.exceptions.BadRequestException):
        retrievers.patch_retriever("ret_vans", mixpeek.PatchRetrieverRequest())
    with pytest.raises(mixpeek.exceptions.ForbiddenException):
        mixpeek.RetrieversApi(mine).patch_retriever(
            "ret_vans", mixpeek.PatchRetrieverRequest(description="x")
        )
    with pytest.raises(mixpeek.exceptions.UnauthorizedException):
        mixpeek.AnnotationsApi(sdk("rvw_wrong")).get_annotation("ann_none")
    new = mixpeek.CreateAnnotationRequest(document_id="doc_twice", label="x")
    annotations.create_annotation(new)
    with pytest.raises(mixpeek.exceptions.ConflictException):
        annotations.create_annotation(new)
    with pytest.raises(mixpeek.exceptions.ApiException) as refused:
        annotations.delete_annotation("ann_00001")
    assert refused.value.status == 405


def test_it_serves_the_hand_written_client_too(
    box: Box, live_server: object, secret_of: Callable[..., str], adam: User
) -> None:
    client = mixpeek.Mixpeek(
        secret_of(adam), namespace=box.namespace, base_url=f"{live_server}/api/v1", timeout=60
    )
    assert [row["retriever_name"] for row in client.retrievers.list()["results"]] == ["vans"]
    reply = client._request("POST", "/annotations/list?limit=1", body={"document_id": "doc_00001"})[
        "results"
    ]
    cleared = client._request(
        "PATCH", f"/annotations/{reply[0]['annotation_id']}", body={"confidence": None}
    )
    assert cleared["confidence"] is None
    # It has no way to close its connections, and behind each the server keeps one to the database.
    client._http.clear()


def test_it_asks_mixpeek_for_a_version_it_never_mirrored(
    box: Box, sdk: Connect, secret_of: Callable[..., str], alice: User
) -> None:
    path = "/v1/annotations/ann_00000"
    for label in ("one", "two"):
        assert box.call("PATCH", path, json={"label": label}).status_code == 200
    with client_of(box) as client:
        pull(client=client)
    Annotation.objects.filter(annotation_id="ann_00000").update(revisions=[])
    annotations = mixpeek.AnnotationsApi(sdk(secret_of(alice, "read")))
    current = annotations.get_annotation("ann_00000").version
    assert annotations.get_annotation_at_version("ann_00000", current - 1).label == "one"
