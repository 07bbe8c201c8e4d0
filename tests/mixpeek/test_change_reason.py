"""`X-Change-Reason`: why something is written, sent with the write and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reviewapp.mixpeek import Client
from reviewapp.mixpeek.calls import annotations as annotation_calls
from reviewapp.mixpeek.calls import retrievers as retriever_calls
from reviewapp.mixpeek.wire import Call, reason_header
from tests.mixpeek.samples import ANNOTATION, RETRIEVER
from tests.mixpeek.server import Answer, FakeMixpeek

REASON = "decision 7f3a: relabelled"

BUILDERS: list[Callable[[str], Call[Any]]] = [
    lambda reason: annotation_calls.create(document_id="d", label="x", change_reason=reason),
    lambda reason: annotation_calls.patch("a", {"label": "x"}, change_reason=reason),
    lambda reason: annotation_calls.bulk({"a": {"label": "x"}}, change_reason=reason),
    lambda reason: retriever_calls.patch("r", {"tags": []}, spelling=None, change_reason=reason),
]


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize(
    ("reason", "headers"),
    [
        ("", {}),
        ("  ", {}),
        (REASON, {"X-Change-Reason": REASON}),
        (f" {REASON} ", {"X-Change-Reason": REASON}),
        ("x" * 200, {"X-Change-Reason": "x" * 200}),
    ],
)
def test_it_makes_a_header_of_a_reason(
    build: Callable[[str], Call[Any]], reason: str, headers: dict[str, str]
) -> None:
    assert build(reason).headers == headers


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize(
    "reason",
    [
        "x" * 201,
        "a\r\nX-Evil: 1",
        "a\n",
        "\ta",
        "a\x00b",
        "a\x7f",
        "a\x85",
        "café",
        "\u202e",
        "\ud800",
    ],
)
def test_it_refuses_a_reason_that_is_no_safe_header(
    build: Callable[[str], Call[Any]], reason: str
) -> None:
    with pytest.raises(ValueError, match="change_reason"):
        build(reason)


@pytest.mark.parametrize("code", range(0x100))
def test_it_takes_visible_ascii_and_blanks_alone(code: int) -> None:
    reason = f"a{chr(code)}b"
    if 0x20 <= code <= 0x7E:
        assert reason_header(reason) == {"X-Change-Reason": reason}
    else:
        with pytest.raises(ValueError, match="change_reason"):
            reason_header(reason)


def test_it_sends_the_reason_with_each_write(client: Client, upstream: FakeMixpeek) -> None:
    upstream.will(Answer(body=ANNOTATION), Answer(body=ANNOTATION), Answer(body={"results": []}))
    client.create_annotation(document_id="doc_1", label="x", change_reason=REASON)
    client.patch_annotation("ann_1", {"label": "x"}, change_reason=REASON)
    client.bulk_annotations({"ann_1": {"label": "x"}}, change_reason=REASON)
    assert [request.headers["x-change-reason"] for request in upstream.received] == [REASON] * 3
    assert upstream.received[0].body == {"document_id": "doc_1", "label": "x"}


def test_it_sends_the_reason_with_the_patch_of_a_retriever_but_not_with_its_reads(
    client: Client, upstream: FakeMixpeek
) -> None:
    renamed = RETRIEVER | {"retriever_name": "new"}
    upstream.will(Answer(body=RETRIEVER), Answer(body={"retriever": renamed}))
    client.patch_retriever("ret_1", {"name": "new"}, change_reason=REASON)
    sent = [
        (request.method, request.headers.get("x-change-reason")) for request in upstream.received
    ]
    assert sent == [("GET", None), ("PATCH", REASON)]


def test_it_sends_no_header_without_a_reason(client: Client, upstream: FakeMixpeek) -> None:
    upstream.will(Answer(body=ANNOTATION))
    client.patch_annotation("ann_1", {"label": "x"})
    client.patch_annotation("ann_1", {"label": "x"}, change_reason=" ")
    assert [request.headers.get("x-change-reason") for request in upstream.received] == [None, None]
    assert upstream.received[0].headers["x-namespace"] == "ns_1"


def test_it_sends_nothing_with_a_reason_that_is_no_safe_header(
    client: Client, upstream: FakeMixpeek
) -> None:
    with pytest.raises(ValueError, match="change_reason"):
        client.patch_annotation("ann_1", {"label": "x"}, change_reason="a\nb")
    assert upstream.received == []
