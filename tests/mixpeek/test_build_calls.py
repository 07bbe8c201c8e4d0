"""What each call looks like on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from reviewapp.mixpeek import Refused
from reviewapp.mixpeek.calls import annotations as annotation_calls
from reviewapp.mixpeek.calls import documents as document_calls
from reviewapp.mixpeek.calls import retrievers as retriever_calls
from reviewapp.mixpeek.wire import Call

WHEN = datetime(2026, 11, 1, tzinfo=UTC)
EXECUTE = "POST", "/v1/retrievers/r/execute"

CALLS: list[tuple[Call[Any], str, str, Any]] = [
    (
        annotation_calls.list_page(skip=0, limit=50),
        "POST",
        "/v1/annotations/list?skip=0&limit=50",
        {},
    ),
    (
        annotation_calls.list_page(skip=5, limit=500, label="ok", document_id=None, as_of=WHEN),
        "POST",
        "/v1/annotations/list?skip=5&limit=500",
        {"label": "ok", "as_of": "2026-11-01T00:00:00+00:00"},
    ),
    (annotation_calls.get("a/b c?é"), "GET", "/v1/annotations/a%2Fb%20c%3F%C3%A9", None),
    (
        annotation_calls.create(
            document_id="d", label="ok", confidence=0.0, payload={}, reasoning=None
        ),
        "POST",
        "/v1/annotations",
        {"document_id": "d", "label": "ok", "confidence": 0.0, "payload": {}},
    ),
    (
        annotation_calls.patch("a", {"reasoning": "", "confidence": None}),
        "PATCH",
        "/v1/annotations/a",
        {"reasoning": "", "confidence": None},
    ),
    (annotation_calls.get_version("a", 3), "GET", "/v1/annotations/a/versions/3", None),
    (
        retriever_calls.list_page(limit=100, offset=7),
        "POST",
        "/v1/retrievers/list?limit=100&offset=7",
        {},
    ),
    (
        retriever_calls.list_page(limit=9, cursor="c="),
        "POST",
        "/v1/retrievers/list?limit=9&cursor=c%3D",
        {},
    ),
    (retriever_calls.get("my search"), "GET", "/v1/retrievers/my%20search", None),
    (
        retriever_calls.patch("r", {"name": "n", "tags": []}, spelling="name"),
        "PATCH",
        "/v1/retrievers/r",
        {"name": "n", "tags": []},
    ),
    (
        retriever_calls.patch("r", {"name": "n"}, spelling="retriever_name"),
        "PATCH",
        "/v1/retrievers/r",
        {"retriever_name": "n"},
    ),
    (retriever_calls.execute("r", {"q": "x"}), *EXECUTE, {"inputs": {"q": "x"}}),
    (
        retriever_calls.execute("r", {}, limit=10, cursor="c"),
        *EXECUTE,
        {"inputs": {}, "pagination": {"method": "cursor", "limit": 10, "cursor": "c"}},
    ),
    (
        retriever_calls.execute("r", {}, limit=10, page_number=2),
        *EXECUTE,
        {"inputs": {}, "pagination": {"method": "offset", "page_size": 10, "page_number": 2}},
    ),
    (
        retriever_calls.execute("r", {}, return_presigned_urls=True),
        "POST",
        "/v1/retrievers/r/execute?return_presigned_urls=true",
        {"inputs": {}},
    ),
    (
        retriever_calls.list_executions("r", limit=3),
        "POST",
        "/v1/retrievers/r/executions/list?limit=3&offset=0",
        {},
    ),
    (retriever_calls.get_execution("r", "e"), "GET", "/v1/retrievers/r/executions/e", None),
]


@pytest.mark.parametrize(("call", "method", "target", "body"), CALLS)
def test_it_builds_the_request(call: Call[Any], method: str, target: str, body: Any) -> None:
    assert (call.method, call.target) == (method, target)
    assert (None if call.body is None else json.loads(call.body)) == body


def test_it_knows_which_calls_change_something_upstream() -> None:
    writing = {(call.method, call.path) for call, *_ in CALLS if call.writes}
    assert writing == {
        ("POST", "/v1/annotations"),
        ("PATCH", "/v1/annotations/a"),
        ("PATCH", "/v1/retrievers/r"),
        EXECUTE,
    }


STRANGE: Any = {"sort": "x"}
LOOP: list[Any] = []
LOOP.append(LOOP)

REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: annotation_calls.get(""), "annotation_id"),
    (lambda: annotation_calls.get(".."), "annotation_id"),
    (lambda: annotation_calls.get("a\x00b"), "annotation_id"),
    (lambda: annotation_calls.get("a\nb"), "annotation_id"),
    (lambda: annotation_calls.get("\ud800"), "annotation_id"),
    (lambda: annotation_calls.get_version("a", 0), "version"),
    (lambda: annotation_calls.list_page(skip=-1, limit=1), "skip"),
    (lambda: annotation_calls.list_page(skip=0, limit=501), "limit"),
    (lambda: annotation_calls.list_page(skip=0, limit=1, as_of=datetime(2026, 1, 1)), "as_of"),
    (lambda: annotation_calls.list_page(skip=0, limit=1, **STRANGE), "sort"),
    (lambda: annotation_calls.patch("a", {"actor_id": "me"}), "actor_id"),
    (lambda: annotation_calls.patch("a", {"label": None}), "label"),
    (lambda: annotation_calls.patch("a", {"confidence": float("nan")}), "confidence"),
    (lambda: annotation_calls.patch("a", {"payload": {"x": "\ud83d"}}), "payload"),
    (lambda: annotation_calls.patch("a", {"payload": {"x\x00": 1}}), "payload"),
    (lambda: annotation_calls.patch("a", {"payload": {"when": WHEN}}), "payload"),
    (lambda: annotation_calls.patch("a", {"payload": {"x": LOOP}}), "payload"),
    (lambda: retriever_calls.patch("r", {"stages": []}, spelling="name"), "stages"),
    (lambda: retriever_calls.patch("r", {"name": " "}, spelling="name"), "name"),
    (lambda: retriever_calls.patch("r", {"name": "n"}, spelling=None), "name"),
    (lambda: retriever_calls.patch("r", {"description": None}, spelling="name"), "description"),
    (lambda: retriever_calls.patch("r", {"tags": "brand"}, spelling="name"), "tags"),
    (lambda: retriever_calls.patch("r", {"tags": [1]}, spelling="name"), "tags"),
    (lambda: retriever_calls.execute("r", {}, limit=0), "limit"),
    (lambda: retriever_calls.execute("r", {}, cursor="c", page_number=1), "cursor"),
    (lambda: retriever_calls.execute("r", {}, page_number=0), "page_number"),
    (lambda: list(document_calls.batch_get([""], return_presigned_urls=True)), "document_ids"),
]


@pytest.mark.parametrize(("build", "field"), REFUSED)
def test_it_refuses_by_itself_what_can_never_be_right(
    build: Callable[[], object], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        build()
    assert set(refused.value.fields) == {field}
    assert refused.value.status is None


@pytest.mark.parametrize(
    "build",
    [
        lambda: annotation_calls.patch("a", {}),
        lambda: retriever_calls.patch("r", {}, spelling="name"),
    ],
)
def test_it_refuses_to_change_nothing(build: Callable[[], object]) -> None:
    with pytest.raises(Refused, match="Nothing to change"):
        build()


def test_it_sends_a_backslash_before_u0000_as_the_text_it_is() -> None:
    call = annotation_calls.patch("a", {"reasoning": "\\u0000"})
    assert json.loads(call.body or b"") == {"reasoning": "\\u0000"}


def test_it_asks_for_documents_a_thousand_at_a_time_and_each_once() -> None:
    ids = [f"doc_{number}" for number in range(2001)] + ["doc_0"]
    bodies = [
        json.loads(call.body or b"")
        for call in document_calls.batch_get(ids, return_presigned_urls=True)
    ]
    assert [len(body["document_ids"]) for body in bodies] == [1000, 1000, 1]
    assert all(body["return_presigned_urls"] is True for body in bodies)
