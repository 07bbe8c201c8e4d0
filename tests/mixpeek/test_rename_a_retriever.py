"""Renaming, describing and tagging, in whichever spelling the server itself uses."""

from __future__ import annotations

from typing import Any

import pytest

from reviewapp.mixpeek import Client, NotApplied, Refused
from tests.mixpeek.samples import RETRIEVER, SEED_RETRIEVER
from tests.mixpeek.server import Answer, FakeMixpeek, Received


class Dialect:
    """A server with one retriever that takes one spelling and says as much of it as `told`."""

    def __init__(
        self, retriever: dict[str, Any], *, wrapped: bool = True, told: set[str] | None = None
    ) -> None:
        self.retriever = dict(retriever)
        self.wrapped = wrapped
        self.told = told
        self.deaf = False

    def __call__(self, request: Received) -> Answer:
        if request.target.startswith("/v1/retrievers/list"):
            return Answer(body={"results": [self.retriever], "total": 1})
        if request.method == "GET":
            return Answer(body=self.retriever)
        strange = set(request.body) - {"description", "tags"} - set(self.retriever)
        if strange:
            detail = [{"loc": ["body", *strange], "msg": "extra"}]
            return Answer(status=422, body={"detail": detail})

        if not self.deaf:
            self.retriever |= request.body
        visible = dict(self.retriever)
        if self.told is not None:
            visible = {key: value for key, value in self.retriever.items() if key in self.told}
        if self.wrapped:
            visible = {"retriever": visible}
        return Answer(body=visible)


def requests(upstream: FakeMixpeek) -> list[tuple[str, Any]]:
    return [(request.method, request.body) for request in upstream.received]


@pytest.mark.parametrize(
    ("retriever", "key"), [(RETRIEVER, "retriever_name"), (SEED_RETRIEVER, "name")]
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_it_learns_the_spelling_before_its_first_rename(
    client: Client, upstream: FakeMixpeek, retriever: dict[str, Any], key: str, wrapped: bool
) -> None:
    whole = retriever | {"description": "", "tags": []}
    upstream.answer = Dialect(whole, wrapped=wrapped)
    assert client.patch_retriever("ret_1", {"name": "new"}).name == "new"
    assert requests(upstream) == [("GET", None), ("PATCH", {key: "new"})]


def test_it_renames_at_once_when_a_list_has_told_the_spelling(
    client: Client, upstream: FakeMixpeek
) -> None:
    upstream.answer = Dialect(SEED_RETRIEVER | {"description": "", "tags": []})
    client.list_retrievers()
    client.patch_retriever("pipe_1", {"name": "new", "tags": ["b", "a"]})
    assert requests(upstream)[1:] == [("PATCH", {"name": "new", "tags": ["b", "a"]})]


def test_it_needs_no_spelling_to_describe(client: Client, upstream: FakeMixpeek) -> None:
    upstream.answer = Dialect(RETRIEVER)
    record = client.patch_retriever("ret_1", {"description": "", "tags": []})
    assert (record.description, record.tags) == ("", ())
    assert requests(upstream) == [("PATCH", {"description": "", "tags": []})]


def test_it_reads_again_when_the_answer_leaves_fields_out(
    client: Client, upstream: FakeMixpeek
) -> None:
    upstream.answer = Dialect(RETRIEVER, told={"retriever_id", "retriever_name"})
    record = client.patch_retriever("brand_logos", {"tags": ["x"]})
    assert (record.tags, record.description) == (("x",), "Logos")
    assert [request.target for request in upstream.received] == [
        "/v1/retrievers/brand_logos",
        "/v1/retrievers/ret_1",
    ]


@pytest.mark.parametrize("changes", [{"name": "new"}, {"description": "new"}, {"tags": ["new"]}])
@pytest.mark.parametrize("told", [None, {"retriever_name", "retriever_id"}])
def test_it_notices_a_yes_that_did_nothing(
    client: Client, upstream: FakeMixpeek, changes: dict[str, Any], told: set[str] | None
) -> None:
    upstream.answer = deaf = Dialect(RETRIEVER, told=told)
    deaf.deaf = True
    with pytest.raises(NotApplied) as nothing:
        client.patch_retriever("ret_1", changes)
    assert set(nothing.value.fields) == set(changes)


def test_it_takes_tags_in_another_order_for_the_same(client: Client, upstream: FakeMixpeek) -> None:
    upstream.will(Answer(body={"retriever": RETRIEVER | {"tags": ["a", "b"]}}))
    assert client.patch_retriever("ret_1", {"tags": ["b", "a", "b"]}).tags == ("a", "b")


def test_it_calls_the_refused_name_by_our_word(client: Client, upstream: FakeMixpeek) -> None:
    refusal = {"detail": [{"loc": ["body", "retriever_name"], "msg": "taken"}]}
    upstream.will(Answer(body=RETRIEVER), Answer(status=422, body=refusal))
    with pytest.raises(Refused) as refused:
        client.patch_retriever("ret_1", {"name": "new"})
    assert refused.value.fields == {"name": "taken"}


def test_it_asks_nobody_about_a_change_that_can_never_be(
    client: Client, upstream: FakeMixpeek
) -> None:
    with pytest.raises(Refused):
        client.patch_retriever("ret_1", {"name": ""})
    assert not upstream.received
