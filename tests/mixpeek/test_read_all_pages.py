"""Walking lists to their end, while they move, and when they lie."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.mixpeek import Client, Garbled, LeftOut, RecordPage
from reviewapp.mixpeek.paging import iterate_rows
from tests.mixpeek.samples import RETRIEVER
from tests.mixpeek.server import Answer, FakeMixpeek, Received


def walk(pages: list[RecordPage[str]], limit: int) -> list[str]:
    waiting = iter(pages)
    return list(iterate_rows(lambda _offset, _cursor: next(waiting), identity=str, limit=limit))


@given(
    rows=st.integers(0, 40), limit=st.integers(1, 12), cap=st.integers(1, 12), counted=st.booleans()
)
def test_it_reads_every_row_once(rows: int, limit: int, cap: int, counted: bool) -> None:
    """A server may give fewer rows a page than asked, as long as it counts them."""
    size = min(limit, cap) if counted else limit
    data = [str(number) for number in range(rows)]

    def fetch(offset: int, _cursor: str | None) -> RecordPage[str]:
        return RecordPage(
            items=tuple(data[offset : offset + size]), total=rows if counted else None
        )

    assert list(iterate_rows(fetch, identity=str, limit=limit)) == data


def test_it_drops_rows_that_come_twice_when_the_list_shifts() -> None:
    pages = [RecordPage(items=("a", "b")), RecordPage(items=("b", "c")), RecordPage[str](items=())]
    assert walk(pages, 2) == ["a", "b", "c"]


def test_it_ends_when_a_server_without_pages_sends_all_again() -> None:
    everything = RecordPage(items=("a", "b", "c"), total=3)
    assert walk([everything, everything], 2) == ["a", "b", "c"]


@pytest.mark.parametrize("total", [None, 9])
def test_it_does_not_go_round_for_ever(total: int | None) -> None:
    same = RecordPage(items=("a", "b"), total=total)
    with pytest.raises(Garbled, match="again and again"):
        walk([same, same], 2)


def test_it_follows_the_cursor_of_retrievers(client: Client, upstream: FakeMixpeek) -> None:
    second = RETRIEVER | {"retriever_id": "ret_2"}
    upstream.will(
        Answer(body={"results": [RETRIEVER], "pagination": {"next_cursor": "c2"}}),
        Answer(body={"results": [second], "pagination": {"next_cursor": None}}),
    )
    assert [record.retriever_id for record in client.list_retrievers()] == ["ret_1", "ret_2"]
    assert upstream.received[1].target == "/v1/retrievers/list?limit=100&cursor=c2"


def test_it_follows_the_other_pagination_of_runs(client: Client, upstream: FakeMixpeek) -> None:
    def answer(request: Received) -> Answer:
        offset = int(request.target.rpartition("=")[2])
        row = {"execution_id": f"exec_{offset}", "status": "completed"}
        pages = {"total": 3, "limit": 1, "offset": offset, "has_next": offset < 2}
        return Answer(body={"results": [row], "pagination": pages})

    upstream.answer = answer
    assert [run.execution_id for run in client.executions("r")] == ["exec_0", "exec_1", "exec_2"]
    assert len(upstream.received) == 3


def test_it_gathers_documents_in_the_order_asked(client: Client, upstream: FakeMixpeek) -> None:
    def answer(request: Received) -> Answer:
        matching = [
            {"document_id": key, "collection_id": "c"}
            for key in reversed(request.body["document_ids"])
        ]
        return Answer(
            body={"documents": [row for row in matching if row["document_id"] != "doc_7"]}
        )

    upstream.answer = answer
    ids = [f"doc_{number}" for number in range(1500)]
    batch = client.batch_get_documents(ids)
    assert [record.document_id for record in batch.found] == [key for key in ids if key != "doc_7"]
    assert batch.not_found == ("doc_7",)
    assert [len(request.body["document_ids"]) for request in upstream.received] == [1000, 500]


def test_it_asks_nothing_for_no_documents(client: Client, upstream: FakeMixpeek) -> None:
    assert client.batch_get_documents([]).found == ()
    assert not upstream.received


def test_it_ends_a_list_that_never_ends() -> None:
    numbers = itertools.count()

    def fetch(_offset: int, _cursor: str | None) -> RecordPage[str]:
        return RecordPage(items=tuple(str(next(numbers)) for _ in range(100)), next="more")

    with pytest.raises(Garbled, match="does not end"):
        list(iterate_rows(fetch, identity=str, limit=100))
    assert next(numbers) == 10_000


def test_it_goes_on_after_a_page_that_cannot_be_read(client: Client, upstream: FakeMixpeek) -> None:
    bad = RETRIEVER | {"retriever_id": "bad", "version": -1}
    upstream.will(
        Answer(body={"results": [bad], "pagination": {"next_cursor": "c2"}}),
        Answer(body={"results": [RETRIEVER], "pagination": {"next_cursor": None}}),
    )
    left_out: list[LeftOut] = []
    assert [record.retriever_id for record in client.list_retrievers(left_out=left_out)] == [
        "ret_1"
    ]
    assert [record.name for record in left_out] == ["bad"]
