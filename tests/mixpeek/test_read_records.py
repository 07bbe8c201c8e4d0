"""What a good answer becomes, in either dialect."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from reviewapp.mixpeek import Garbled, RevisionRecord, Unreadable
from reviewapp.mixpeek.calls import annotations as annotation_calls
from reviewapp.mixpeek.calls import documents as document_calls
from reviewapp.mixpeek.calls import retrievers as retriever_calls
from reviewapp.mixpeek.wire import Call, parse_response
from tests.mixpeek.samples import ANNOTATION, BARE_ANNOTATION, RETRIEVER, SEED_RETRIEVER, reply

ONE = annotation_calls.get("ann_1")
LIST = annotation_calls.list_page(skip=0, limit=50)
RETRIEVERS = retriever_calls.list_page(limit=100)
RUN = retriever_calls.execute("ret_1", {})
RUNS = retriever_calls.list_executions("ret_1", limit=2)
BATCH = next(document_calls.batch_get(["doc_1"], return_presigned_urls=True))


def test_it_reads_a_whole_annotation() -> None:
    record = parse_response(ONE, reply(ANNOTATION))
    assert (record.annotation_id, record.label, record.confidence, record.version) == (
        "ann_1",
        "approved",
        1.0,
        2,
    )
    assert record.metadata == {"reviewer": "ada"}
    assert record.updated_at == datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert record.revisions == (
        RevisionRecord(
            version=1,
            prior={"label": "rejected"},
            edited_at=datetime(2026, 11, 2, 8, tzinfo=UTC),
            edited_by="key_9",
            edited_by_type="api_key",
        ),
    )


def test_it_reads_an_annotation_of_a_server_without_versions_or_metadata() -> None:
    record = parse_response(ONE, reply(BARE_ANNOTATION))
    assert record.annotation_id == "ann_1"
    assert (record.version, record.metadata, record.payload) == (None, None, {})
    assert (record.actor_id, record.actor_type) == ("system", "system")


def test_it_tells_metadata_that_is_null_from_metadata_unknown() -> None:
    assert parse_response(ONE, reply(BARE_ANNOTATION | {"metadata": None})).metadata == {}


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2026-11-01T10:00:00", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        (1_700_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (None, None),
    ],
)
def test_it_reads_dates_as_utc(sent: Any, read: datetime | None) -> None:
    assert parse_response(ONE, reply(BARE_ANNOTATION | {"created_at": sent})).created_at == read


@pytest.mark.parametrize("text", ["\ud83d alone", "a\x00b"])
def test_it_replaces_what_no_database_can_hold(text: str) -> None:
    record = parse_response(
        ONE, reply(BARE_ANNOTATION | {"reasoning": text, "payload": {text: [text]}})
    )
    assert record.reasoning == text.replace("\ud83d", "\ufffd").replace("\x00", "\ufffd")
    assert record.payload == {record.reasoning: [record.reasoning]}


def test_it_keeps_characters_sent_as_pairs_of_escapes() -> None:
    assert parse_response(ONE, reply(BARE_ANNOTATION | {"reasoning": "😀"})).reasoning == "😀"


@pytest.mark.parametrize(
    ("body", "count", "total"),
    [
        ({"results": [ANNOTATION], "total_count": 7}, 1, 7),
        ({"results": [ANNOTATION], "total_count": 0}, 1, None),
        ({"results": None, "total_count": 0}, 0, 0),
        ({}, 0, None),
    ],
)
def test_it_reads_a_page_of_annotations(body: Any, count: int, total: int | None) -> None:
    page = parse_response(LIST, reply(body))
    assert (len(page.items), page.total, page.next) == (count, total, None)


def test_it_reads_a_page_of_retrievers_with_its_cursor_and_warnings() -> None:
    warning = {"resource": "retriever", "reason": "hidden", "next_step": "ask for access"}
    body = {
        "results": [RETRIEVER],
        "pagination": {"next_cursor": "c", "total": None},
        "warnings": [warning],
    }
    page = parse_response(RETRIEVERS, reply(body))
    assert (page.next, page.warnings) == ("c", ("retriever: hidden: ask for access",))


@pytest.mark.parametrize("wrap", [lambda body: body, lambda body: {"retriever": body}])
def test_it_reads_a_retriever_bare_or_wrapped(wrap: Callable[[Any], Any]) -> None:
    record = parse_response(retriever_calls.get("x"), reply(wrap(RETRIEVER)))
    assert (record.retriever_id, record.name, record.version) == ("ret_1", "brand_logos", 4)
    assert (record.spelling, record.absent, record.tags) == (
        "retriever_name",
        frozenset(),
        ("brand", "v2"),
    )


def test_it_reads_a_retriever_of_the_older_dialect() -> None:
    record = parse_response(retriever_calls.get("x"), reply({"retriever": SEED_RETRIEVER}))
    assert (record.retriever_id, record.name, record.version) == ("pipe_1", "executive_ads", 1)
    assert record.spelling == "name"
    assert record.absent == {"description", "tags"}
    assert record.stages[0]["name"] == "filter"


def test_it_holds_a_retriever_as_it_was_sent() -> None:
    sent = RETRIEVER | {"a_field_of_tomorrow": {"x": None}}
    read = parse_response(retriever_calls.get("x"), reply(sent))
    patched = parse_response(retriever_calls.get("x"), reply({"retriever": sent}))
    assert (read.body, read.complete) == (sent, True)
    assert (patched.body, patched.complete) == (sent, False)


def test_it_holds_a_run_as_it_was_sent_but_for_its_documents() -> None:
    rest = {"execution_id": "e", "status": "completed", "facets": [], "a_field_of_tomorrow": 1}
    detail = parse_response(
        retriever_calls.get_execution("ret_1", "e"),
        reply(rest | {"documents": [{"document_id": "d"}]}),
    )
    assert (detail.body, len(detail.documents)) == (rest, 1)
    row = {"execution_id": "e", "status": "completed", "a_field_of_tomorrow": 1}
    (summary,) = parse_response(RUNS, reply({"results": [row], "pagination": {}})).items
    assert summary.body == row


@pytest.mark.parametrize("key", ["documents", "results", "final_results"])
def test_it_reads_a_run_whatever_its_documents_are_called(key: str) -> None:
    pages = {"has_next": True, "cursor": "c", "total": 9, "returned": 1}
    body = {
        "execution_id": "e",
        "status": "Completed",
        key: [{"document_id": "d"}],
        "pagination": pages,
    }
    record = parse_response(RUN, reply(body))
    assert (record.retriever_id, record.documents, record.next_cursor) == (
        "ret_1",
        ({"document_id": "d"},),
        "c",
    )
    assert (record.status, record.failed, record.total, record.total_returned) == (
        "completed",
        False,
        9,
        1,
    )


def test_it_keeps_a_run_that_failed_although_the_answer_is_200() -> None:
    body = {
        "execution_id": "e",
        "status": "failed",
        "error": {"message": "no budget"},
        "documents": None,
    }
    record = parse_response(RUN, reply(body))
    assert (record.failed, record.error, record.documents) == (True, "no budget", ())


def test_it_tells_of_degraded_and_skipped_parts_of_a_run() -> None:
    body = {
        "execution_id": "e",
        "status": "degraded",
        "degraded": [{"stage": "rerank"}],
        "warnings": ["slow index"],
        "enrichment_skipped": True,
        "enrichment_skip_reason": "no credits",
    }
    record = parse_response(RUN, reply(body))
    assert record.degraded == ({"stage": "rerank"},)
    assert record.warnings == ("slow index", "Enrichment was skipped: no credits")
    assert not record.failed


@pytest.mark.parametrize(("more", "following"), [(True, 11), (False, None)])
def test_it_reads_the_other_pagination_of_runs(more: bool, following: int | None) -> None:
    row = {
        "execution_id": "e",
        "status": "completed",
        "created_at": "2026-11-01T00:00:00Z",
        "duration_ms": 12.5,
    }
    body = {
        "results": [row],
        "pagination": {"total": 12, "limit": 1, "offset": 10, "has_next": more},
    }
    page = parse_response(RUNS, reply(body))
    assert (page.next, page.total, page.items[0].duration_ms) == (following, 12, 12.5)


def test_it_gathers_the_files_of_a_document_each_once() -> None:
    blob = {"field": "image", "url": "s3://b/1"}
    signed = blob | {"presigned_url": "https://s3/1?sig"}
    gone = {"field": "clip", "url": "s3://b/2", "unavailable_reason": "deleted"}
    document = {
        "document_id": "d",
        "document_blobs": [blob],
        "_internal": {"source_blobs": [signed, gone]},
    }
    (record,) = parse_response(BATCH, reply({"documents": [document]})).items
    assert [(b.field, b.presigned_url, b.unavailable_reason) for b in record.blobs] == [
        ("image", "https://s3/1?sig", ""),
        ("clip", "", "deleted"),
    ]
    assert record.body == document


def _with(**changes: Any) -> dict[str, Any]:
    return ANNOTATION | changes


@pytest.mark.parametrize(
    ("call", "body", "where"),
    [
        (ONE, b"<html><h1>Welcome</h1>", "HTML page"),
        (ONE, b'{"document_id": "d", "lab', "not JSON"),
        (ONE, b"", "empty"),
        (ONE, b"\xff\xfe{}", "not JSON"),
        (ONE, b"[" * 100_000, "nested too deeply"),
        (ONE, _with(confidence=float("nan")), "confidence is too large a number, or none"),
        (ONE, _with(confidence=float("inf")), "confidence is too large a number, or none"),
        (ONE, _with(annotation_id="a" * 201), "annotation_id is longer than 200 characters"),
        (ONE, _with(document_id="d" * 201), "document_id is longer than 200 characters"),
        (ONE, _with(reasoning="word " * 10_001), "reasoning is longer than 50,000 characters"),
        (ONE, _with(payload={"a": "x" * 300_000}), "payload is larger than 256 KiB"),
        (ONE, _with(metadata={"a": ["x"] * 100_000}), "metadata is larger than 256 KiB"),
        (ONE, _with(version=2**31 - 1), "version is no version"),
        (ONE, _with(version=10**20), "version is no version"),
        (ONE, _with(version=-1), "version is no version"),
        (ONE, _with(version=float("nan")), "version is too large a number, or none"),
        (ONE, [], "is a list"),
        (ONE, None, "is null"),
        (ONE, {}, "no document_id"),
        (ONE, _with(label=None), "no label"),
        (ONE, _with(label=5), "label should be a text"),
        (ONE, _with(confidence="0.5"), "confidence should be a number"),
        (ONE, _with(confidence=True), "confidence should be a number"),
        (ONE, _with(confidence=10**400), "confidence is too large"),
        (ONE, _with(version="2"), "version should be a number"),
        (ONE, _with(version=1.5), "version should be a whole number"),
        (ONE, _with(payload=[]), "payload should be an object"),
        (ONE, _with(created_at=""), "created_at should be a date"),
        (ONE, _with(created_at=1e300), "created_at should be a date"),
        (LIST, {"results": {}}, "results should be a list"),
        (LIST, {"message": "hello"}, "not a page"),
        (
            RUN,
            {"execution_id": "e" * 201, "status": "completed"},
            "execution_id is longer than 200",
        ),
        (RUN, {"status": "completed"}, "no execution_id"),
        (RUN, {"execution_id": "e", "status": "completed", "documents": ["d"]}, "documents[0]"),
        (RUNS, {"results": [], "pagination": []}, "pagination should be an object"),
        (BATCH, {"not_found": []}, "no documents"),
    ],
)
def test_it_says_what_makes_no_sense(call: Call[Any], body: Any, where: str) -> None:
    with pytest.raises(Garbled) as garbled:
        parse_response(call, reply(body, x_request_id="req_7"))
    assert where in garbled.value.message
    assert (garbled.value.status, garbled.value.request_id) == (200, "req_7")
    assert garbled.value.maybe_applied is call.writes


@pytest.mark.parametrize(
    ("call", "bad", "good", "name", "reason"),
    [
        (LIST, BARE_ANNOTATION, ANNOTATION, "doc_1", "results[0] has no annotation_id"),
        (LIST, 5, ANNOTATION, "results[0]", "results[0] should be an object and is a number"),
        (
            LIST,
            _with(annotation_id="bad", version=2**31 - 1),
            ANNOTATION,
            "bad",
            "version is no version",
        ),
        (
            LIST,
            _with(annotation_id="bad", reasoning="x" * 50_001),
            ANNOTATION,
            "bad",
            "reasoning is longer",
        ),
        (LIST, _with(annotation_id="b" * 9_000), ANNOTATION, "b" * 200, "annotation_id is longer"),
        (
            RETRIEVERS,
            RETRIEVER | {"retriever_id": "bad", "tags": [None]},
            RETRIEVER,
            "bad",
            "a list of texts",
        ),
        (
            RETRIEVERS,
            RETRIEVER | {"retriever_id": "bad", "version": 10**20},
            RETRIEVER,
            "bad",
            "no version",
        ),
        (RETRIEVERS, {"retriever_id": "bad"}, RETRIEVER, "bad", "no retriever_name"),
        (
            RETRIEVERS,
            RETRIEVER | {"retriever_id": "bad", "x": "y" * 2_000_000},
            RETRIEVER,
            "bad",
            "than 1 MiB",
        ),
        (
            RUNS,
            {"execution_id": "bad"},
            {"execution_id": "e", "status": "ok"},
            "bad",
            "has no status",
        ),
        (
            BATCH,
            {"document_id": "bad", "document_blobs": 1},
            {"document_id": "d"},
            "bad",
            "document_blobs",
        ),
    ],
)
def test_it_leaves_out_one_bad_record(
    call: Call[Any], bad: Any, good: Any, name: str, reason: str
) -> None:
    page = parse_response(
        call,
        reply({"results": [bad, good], "documents": [bad, good], "total": 2, "total_count": 2}),
    )
    assert (len(page.items), page.rows) == (1, 2)
    (left_out,) = page.left_out
    assert left_out.name == name
    assert reason in left_out.reason


def test_it_drops_revisions_that_cannot_be_read_and_keeps_the_newest() -> None:
    good = {
        "version": 1,
        "prior": {"label": "a"},
        "edited_at": None,
        "edited_by": "x",
        "edited_by_type": "user",
    }
    odd = [
        good | {"version": 10**20},
        good | {"version": None},
        5,
        good | {"prior": {"reasoning": "x" * 60_000}},
    ]
    record = parse_response(ONE, reply(_with(revisions=[*odd, good])))
    assert [revision.version for revision in record.revisions] == [1]

    many = [good | {"version": number} for number in range(1, 1_001)]
    record = parse_response(ONE, reply(_with(revisions=many, version=1_001)))
    assert [revision.version for revision in record.revisions] == list(range(801, 1_001))

    large = [
        good | {"version": number, "prior": {"payload": {"a": "x" * 200_000}}}
        for number in range(1, 11)
    ]
    record = parse_response(ONE, reply(_with(revisions=large, version=11)))
    assert [revision.version for revision in record.revisions] == [6, 7, 8, 9, 10]


def test_it_takes_counts_that_nobody_counts_to_for_none() -> None:
    page = parse_response(LIST, reply({"results": [ANNOTATION], "total_count": 10**20}))
    assert page.total is None
    run = {
        "execution_id": "e",
        "status": "ok",
        "documents": [{}],
        "total_returned": 2**31,
        "warnings": ["w"] * 1_000,
    }
    record = parse_response(RUN, reply(run | {"extra": "x" * 2_000_000}))
    assert (record.total_returned, len(record.warnings), record.body) == (1, 100, {})


@pytest.mark.parametrize(
    "number", ["Infinity", "NaN", "1e999", "9" * 5000], ids=["infinite", "NaN", "large", "long"]
)
def test_it_reads_a_payload_with_a_number_that_nobody_can_keep(number: str) -> None:
    body = json.dumps(_with(payload={"a": 0.5})).replace("0.5", number).encode()
    assert "a" in parse_response(ONE, reply(body)).payload

    version = json.dumps(_with(version=77)).replace("77", number).encode()
    with pytest.raises(Unreadable, match="version"):
        parse_response(ONE, reply(version))


def test_it_reads_an_integer_of_a_thousand_digits() -> None:
    payload = {"most": 10**1000 - 1, "least": 1 - 10**1000}
    assert parse_response(ONE, reply(_with(payload=payload))).payload == payload


@pytest.mark.parametrize("value", [b"{}", b"[]", b"0"])
def test_it_does_not_parse_what_holds_more_than_any_answer(value: bytes) -> None:
    with pytest.raises(Unreadable, match="more than 2,000,000 values"):
        parse_response(LIST, reply(b'{"results": [' + (value + b",") * 2_000_000 + b"0]}"))
