"""Whatever comes back, it becomes a value or one of our errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.mixpeek import MixpeekError
from reviewapp.mixpeek.calls import annotations as annotation_calls
from reviewapp.mixpeek.calls import documents as document_calls
from reviewapp.mixpeek.calls import retrievers as retriever_calls
from reviewapp.mixpeek.response import Reply
from reviewapp.mixpeek.wire import Call, parse_response
from tests.mixpeek.samples import ANNOTATION, NOW, RETRIEVER

RUN = {
    "execution_id": "e",
    "status": "ok",
    "documents": [{}],
    "pagination": {"total": 1},
    "error": "x",
}
DOCUMENT = {
    "document_id": "d",
    "collection_id": "c",
    "document_blobs": [{"field": "f", "url": "u"}],
}
PAGES = {"total": 1, "limit": 1, "offset": 0, "has_next": False, "next_cursor": "c"}

CALLS: list[tuple[Call[Any], Any]] = [
    (annotation_calls.get("ann_1"), ANNOTATION),
    (annotation_calls.patch("ann_1", {"label": "x"}), ANNOTATION),
    (annotation_calls.list_page(skip=0, limit=1), {"results": [ANNOTATION], "total_count": 1}),
    (retriever_calls.get("r"), {"retriever": RETRIEVER}),
    (
        retriever_calls.list_page(limit=1),
        {"results": [RETRIEVER], "pagination": PAGES, "warnings": [{}]},
    ),
    (retriever_calls.execute("r", {}), RUN),
    (retriever_calls.list_executions("r", limit=1), {"results": [RUN], "pagination": PAGES}),
    (next(document_calls.batch_get(["d"], return_presigned_urls=True)), {"documents": [DOCUMENT]}),
]

leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
statuses = st.one_of(st.just(200), st.integers(100, 999))
header_names = ["retry-after", "x-request-id", "content-type", "x-namespace-unresolved", "date"]
headers = st.dictionaries(st.sampled_from(header_names), st.text(max_size=20), max_size=2)


def settle(call: Call[Any], status: int, named: dict[str, str], body: bytes) -> None:
    """Decipher; any error but ours fails the test by itself."""
    try:
        parse_response(call, Reply(status=status, headers=named, body=body, received_at=NOW))
    except MixpeekError as error:
        assert error.message
        assert len(error.message) < 1000
        assert error.__context__ is None or error.__suppress_context__


@st.composite
def broken(draw: st.DrawFn, whole: Any) -> Any:
    """Take a good body and put anything in one place of it, or take that place away."""
    copy = json.loads(json.dumps(whole))
    place: Any = copy
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and place[key] and draw(st.booleans()):
            place = place[key]
            continue
        if draw(st.booleans()):
            place[key] = draw(anything)
        else:
            del place[key]
        return copy


@pytest.mark.parametrize(("call", "whole"), CALLS)
def test_it_reads_the_good_answer_that_the_others_are_broken_from(
    call: Call[Any], whole: Any
) -> None:
    assert parse_response(
        call, Reply(status=200, headers={}, body=json.dumps(whole).encode(), received_at=NOW)
    )


@given(pick=st.sampled_from(CALLS), status=statuses, named=headers, body=st.binary(max_size=200))
def test_it_survives_any_bytes(
    pick: tuple[Call[Any], Any], status: int, named: dict[str, str], body: bytes
) -> None:
    settle(pick[0], status, named, body)


@given(pick=st.sampled_from(CALLS), status=statuses, named=headers, value=anything)
def test_it_survives_any_json(
    pick: tuple[Call[Any], Any], status: int, named: dict[str, str], value: Any
) -> None:
    settle(pick[0], status, named, json.dumps(value).encode())


@given(data=st.data(), pick=st.sampled_from(CALLS))
def test_it_survives_one_wrong_thing_in_a_good_answer(
    data: st.DataObject, pick: tuple[Call[Any], Any]
) -> None:
    call, whole = pick
    settle(call, 200, {}, json.dumps(data.draw(broken(whole))).encode())


@given(pick=st.sampled_from(CALLS), cut=st.floats(0, 1))
def test_it_survives_an_answer_cut_anywhere(pick: tuple[Call[Any], Any], cut: float) -> None:
    body = json.dumps(pick[1]).encode()
    settle(pick[0], 200, {}, body[: int(len(body) * cut)])


error_shapes = st.sampled_from(["detail", "error", "message", "status", "success"])
complaint = st.fixed_dictionaries(
    {
        "message": anything,
        "details": st.one_of(anything, st.fixed_dictionaries({"validation_errors": anything})),
    }
)


@given(status=statuses, body=st.dictionaries(error_shapes, st.one_of(anything, complaint)))
def test_it_survives_any_complaint(status: int, body: dict[str, Any]) -> None:
    settle(CALLS[0][0], status, {}, json.dumps(body).encode())
