"""The official client, as the independent judge of every endpoint."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from tests.official_sdk import mixpeek
from tests.tools.sandbox.running import Box


@pytest.fixture
def client(box: Box) -> Iterator[mixpeek.ApiClient]:
    with box.sdk() as client:
        yield client


@pytest.fixture
def labels(client: mixpeek.ApiClient) -> mixpeek.AnnotationsApi:
    return mixpeek.AnnotationsApi(client)


@pytest.fixture
def retrievers(client: mixpeek.ApiClient) -> mixpeek.RetrieversApi:
    return mixpeek.RetrieversApi(client)


def test_it_creates_reads_and_deletes_an_annotation(labels: mixpeek.AnnotationsApi) -> None:
    request = mixpeek.CreateAnnotationRequest(
        document_id="doc_3",
        label="ripe",
        payload={"a": 1},
        metadata={"by": "x"},
    )
    created = labels.create_annotation(request)
    read = labels.get_annotation(created.annotation_id)
    assert (read.label, read.version, read.revisions, read.payload) == ("ripe", 1, [], {"a": 1})
    assert read.actor_type == "api_key"
    labels.delete_annotation(created.annotation_id)
    with pytest.raises(mixpeek.exceptions.NotFoundException):
        labels.get_annotation(created.annotation_id)


def test_it_makes_a_version_of_each_changing_edit(
    labels: mixpeek.AnnotationsApi,
    annotation_id: str,
) -> None:
    labels.patch_annotation(
        annotation_id,
        mixpeek.PatchAnnotationRequest(label="ripe", confidence=0.25),
    )
    same = labels.patch_annotation(annotation_id, mixpeek.PatchAnnotationRequest(label="ripe"))
    assert same.version == 2
    assert same.revisions[0].prior == {"label": "unripe", "confidence": 0.5}
    history = labels.get_annotation_versions(annotation_id)
    assert [(version.version, version.current) for version in history.versions] == [
        (1, False),
        (2, True),
    ]
    assert history.versions[1].changed_fields == ["confidence", "label"]
    assert labels.get_annotation_at_version(annotation_id, 1).label == "unripe"
    with pytest.raises(mixpeek.exceptions.NotFoundException):
        labels.get_annotation_at_version(annotation_id, 3)


def test_it_lists_with_filters_and_pages(labels: mixpeek.AnnotationsApi) -> None:
    wanted = mixpeek.ListAnnotationsRequest(retriever_id="ret_all")
    page = labels.list_annotations(skip=4, limit=3, list_annotations_request=wanted)
    assert [annotation.annotation_id for annotation in page.results] == ["ann_4", "ann_5", "ann_6"]
    assert page.total_count == 10
    none = labels.list_annotations(
        list_annotations_request=mixpeek.ListAnnotationsRequest(label="RIPE"),
    )
    assert none.results == []


def test_it_lists_as_of_an_instant(labels: mixpeek.AnnotationsApi, annotation_id: str) -> None:
    before = labels.get_annotation(annotation_id)
    labels.patch_annotation(annotation_id, mixpeek.PatchAnnotationRequest(label="rotten"))

    def listed(instant: dt.datetime) -> dict[str, str]:
        request = mixpeek.ListAnnotationsRequest(document_id="doc_1", as_of=instant)
        results = labels.list_annotations(limit=500, list_annotations_request=request).results
        return {annotation.annotation_id: annotation.label for annotation in results}

    assert annotation_id not in listed(before.created_at - dt.timedelta(seconds=1))
    assert listed(before.created_at)[annotation_id] == "unripe"
    assert listed(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=5))[annotation_id] == "rotten"


def test_it_counts_labels(labels: mixpeek.AnnotationsApi) -> None:
    stats = labels.annotation_stats(document_id="doc_7")
    assert (stats.total, stats.by_label) == (1, {"ripe": 1})


def test_it_does_what_it_can_in_bulk(labels: mixpeek.AnnotationsApi, annotation_id: str) -> None:
    created = labels.create_annotation(
        mixpeek.CreateAnnotationRequest(document_id="doc_9", label="x")
    )
    reply = labels.bulk_annotations(
        mixpeek.BulkAnnotationsRequest(
            create=[mixpeek.BulkAnnotationCreate(document_id="doc_9", label="new")],
            update=[
                mixpeek.BulkAnnotationUpdate(annotation_id=annotation_id, label="bulk"),
                mixpeek.BulkAnnotationUpdate(annotation_id="ann_none", label="bulk"),
            ],
            delete=[created.annotation_id],
        )
    )
    counts = (reply.created_count, reply.updated_count, reply.deleted_count, reply.failed_count)
    assert counts == (1, 1, 1, 1)
    assert [result.success for result in reply.results] == [True, True, False, True]
    assert labels.get_annotation(annotation_id).label == "bulk"


def test_it_lists_and_reads_retrievers_by_id_and_name(retrievers: mixpeek.RetrieversApi) -> None:
    assert retrievers.list_retrievers(page_size=2).results[0].retriever_id == "ret_search"
    assert (
        retrievers.get_retriever("search").retriever_id
        == retrievers.get_retriever("ret_search").retriever_id
    )
    with pytest.raises(mixpeek.exceptions.NotFoundException):
        retrievers.get_retriever("nobody")


def test_it_patches_a_retriever(retrievers: mixpeek.RetrieversApi) -> None:
    before = retrievers.get_retriever("ret_patched").version
    request = mixpeek.PatchRetrieverRequest(description="now with words", tags=["a"])
    after = retrievers.patch_retriever("ret_patched", request).retriever
    assert (after.version, after.description, after.tags) == (before + 1, "now with words", ["a"])
    with pytest.raises(mixpeek.exceptions.BadRequestException):
        retrievers.patch_retriever("ret_patched", mixpeek.PatchRetrieverRequest())
    with pytest.raises(mixpeek.exceptions.ConflictException):
        retrievers.patch_retriever(
            "ret_patched",
            mixpeek.PatchRetrieverRequest(retriever_name="search"),
        )


def test_it_executes_and_remembers_without_rows(retrievers: mixpeek.RetrieversApi) -> None:
    request = mixpeek.ExecuteRetrieverRequest(
        inputs={"query": "plum"},
        pagination=mixpeek.Pagination1(mixpeek.CursorPaginationParams(limit=4)),
    )
    reply = retrievers.execute_retriever("ret_search", request, return_presigned_urls=True)
    assert (reply.status, len(reply.documents), reply.pagination["total"]) == ("completed", 4, 10)
    assert all(0 < document["score"] < 1 for document in reply.documents)
    newest = retrievers.list_executions_retrievers("ret_search").results[0]
    assert (newest.execution_id, newest.total_returned) == (reply.execution_id, 10)
    execution = retrievers.get_execution_retrievers("ret_search", reply.execution_id)
    assert (execution.documents, execution.documents_retained, execution.total_returned) == (
        [],
        False,
        10,
    )


def test_it_reads_documents(client: mixpeek.ApiClient) -> None:
    request = mixpeek.BatchGetDocumentsRequest(document_ids=["doc_30", "doc_none", "doc_31"])
    reply = mixpeek.DocumentsApi(client).batch_get(request)
    there, lost = (document.document_blobs[0] for document in reply.documents)
    assert there.presigned_url and not there.unavailable_reason
    assert lost.unavailable_reason and not lost.presigned_url
    assert reply.not_found == ["doc_none"]
    plain = mixpeek.CollectionDocumentsApi(client).get_document("col_fruit", "doc_30")
    assert plain.document_blobs[0].presigned_url is None
    with pytest.raises(mixpeek.exceptions.NotFoundException):
        mixpeek.CollectionDocumentsApi(client).get_document("col_other", "doc_30")


def test_it_lists_namespaces(client: mixpeek.ApiClient) -> None:
    listed = mixpeek.NamespacesApi(client).list_namespaces()
    assert [namespace.namespace_id for namespace in listed.results] == ["ns_sample"]
    assert listed.results[0].document_count == 40


def test_it_feeds_events_in_order(client: mixpeek.ApiClient, annotation_id: str) -> None:
    events, labels = mixpeek.EventsApi(client), mixpeek.AnnotationsApi(client)
    start = _last_cursor(events)
    for label in ("a", "b", "c"):
        labels.patch_annotation(annotation_id, mixpeek.PatchAnnotationRequest(label=label))
    first = events.list_events(event_type="annotation.updated", cursor=start, limit=2)
    assert [event.payload["label"] for event in first.results] == ["a", "b"]
    assert first.has_more
    rest = events.list_events(event_type="annotation.updated", cursor=first.next_cursor)
    assert [event.payload["label"] for event in rest.results] == ["c"]
    assert not rest.has_more
    with pytest.raises(mixpeek.exceptions.BadRequestException):
        events.list_events(event_type="annotation.created", cursor=start)


def _last_cursor(events: mixpeek.EventsApi) -> str:
    cursor, more = None, True
    while more:
        page = events.list_events(event_type="annotation.updated", cursor=cursor, limit=1000)
        cursor, more = page.next_cursor, page.has_more
    return str(cursor)


def test_it_wants_a_good_key(box: Box) -> None:
    configuration = mixpeek.Configuration(
        host=box.url,
        access_token="pk_wrong",
        api_key={"NamespaceHeader": "ns_sample"},
        retries=False,
    )
    with (
        mixpeek.ApiClient(configuration) as client,
        pytest.raises(mixpeek.exceptions.UnauthorizedException) as refused,
    ):
        mixpeek.AnnotationsApi(client).get_annotation("ann_1")
    assert refused.value.data.error.type == "UnauthorizedError"


def test_it_sends_every_field_of_the_official_models(box: Box) -> None:
    def missing(body: dict[str, object], model: Any) -> set[str]:
        # `results` is the deprecated name of `documents`, which Mixpeek leaves out as well.
        return set(model.model_fields) - body.keys() - {"results", "additional_properties"}

    path = "/v1/retrievers/ret_search"
    assert missing(box.call("GET", path).json(), mixpeek.RetrieverModelOutput) == set()
    patched = box.call("PATCH", "/v1/retrievers/ret_patched", json={"metadata": {"a": 1}}).json()[
        "retriever"
    ]
    assert missing(patched, mixpeek.RetrieverConfig) == set()
    reply = box.call("POST", f"{path}/execute", json={"inputs": {"query": "plum"}}).json()
    assert missing(reply, mixpeek.ExecuteRetrieverResponse) == set()
    detail = box.call("GET", f"{path}/executions/{reply['execution_id']}").json()
    assert missing(detail, mixpeek.ExecutionDetail) == set()
    summary = box.call("POST", f"{path}/executions/list").json()["results"][0]
    assert missing(summary, mixpeek.RetrieverExecutionSummary) == set()
