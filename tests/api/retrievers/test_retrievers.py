"""Retrievers through the JSON API: list, get, patch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Retriever
from tests.api.conftest import Caller
from tests.factories import make_retriever

pytestmark = pytest.mark.django_db
STAGE = {
    "stage_name": "search",
    "config": {"stage_id": "feature_search", "parameters": {"q": 1}},
    "parameters": {},
}


@pytest.fixture
def three(db: None) -> list[Retriever]:
    return [
        make_retriever("b logos", retriever_id="ret_b", tags=["x"], stages=[STAGE], version=2),
        make_retriever(
            "a vans", retriever_id="ret_a", description="Finds logos", collection_ids=["col_1"]
        ),
        make_retriever("c/d", retriever_id="ret_c", tags=["x", "y"]),
    ]


def names(reply: Any) -> list[str]:
    assert reply.status_code == 200, reply.content
    return [row["retriever_name"] for row in reply.json()["results"]]


def test_it_lists_pages_by_number_and_by_cursor(as_alice: Caller, three: list[Retriever]) -> None:
    first = as_alice("POST", "/v1/retrievers/list?limit=2&include_total=true", {})
    assert names(first) == ["b logos", "a vans"]
    pages = first.json()["pagination"]
    assert (first.json()["total"], pages["total"], pages["total_pages"], pages["page"]) == (
        3,
        3,
        2,
        1,
    )
    rest = as_alice("POST", f"/v1/retrievers/list?limit=2&cursor={pages['next_cursor']}")
    assert names(rest) == ["c/d"]
    assert rest.json()["pagination"]["next_cursor"] is None
    assert names(as_alice("GET", "/v1/retrievers?page_size=2&page=2")) == ["c/d"]
    assert names(as_alice("GET", "/v1/retrievers?offset=1&limit=1")) == ["a vans"]
    assert as_alice("GET", "/v1/retrievers?cursor=nonsense").status_code == 400


def walk(
    caller: Caller, body: dict[str, Any], after_each: Callable[[list[str]], None]
) -> list[str]:
    """Return the ids on all pages of the list, in order; something happens after each page."""
    ids: list[str] = []
    cursor = ""
    while True:
        reply = caller("POST", f"/v1/retrievers/list?limit=1{cursor}", body).json()
        ids += [row["retriever_id"] for row in reply["results"]]
        if reply["pagination"]["next_cursor"] is None:
            return ids
        cursor = f"&cursor={reply['pagination']['next_cursor']}"
        after_each(ids)


def test_it_meets_each_once_whatever_is_renamed_meanwhile(
    as_alice: Caller, three: list[Retriever]
) -> None:
    def rename(seen: list[str]) -> None:
        Retriever.objects.filter(retriever_id=seen[-1]).update(name=f"zz {seen[-1]}")
        Retriever.objects.exclude(retriever_id__in=seen).update(name=F("retriever_id"))

    assert walk(as_alice, {}, rename) == ["ret_b", "ret_a", "ret_c"]


@pytest.mark.parametrize(
    "sort",
    [
        {"field": "retriever_name"},
        {"field": "retriever_name", "direction": "desc"},
        {"field": "created_at"},
        {"field": "updated_at", "direction": "desc"},
        {"field": "version"},
    ],
)
def test_it_goes_on_where_it_was_when_a_retriever_passed_already_goes(
    as_alice: Caller, three: list[Retriever], sort: dict[str, str]
) -> None:
    request = {"sort": sort}
    expected = walk(as_alice, request, lambda seen: None)

    def go(seen: list[str]) -> None:
        Retriever.objects.filter(retriever_id=seen[-1]).update(gone_at=timezone.now())

    assert sorted(expected) == ["ret_a", "ret_b", "ret_c"]
    assert walk(as_alice, request, go) == expected


def test_it_counts_where_a_page_by_cursor_stands(as_alice: Caller, three: list[Retriever]) -> None:
    pages = as_alice("GET", "/v1/retrievers?limit=1&page=2").json()["pagination"]
    assert pages["page"] == 2
    after = as_alice("GET", f"/v1/retrievers?limit=1&after={pages['next_cursor']}").json()[
        "pagination"
    ]
    assert (after["page"], after["next_cursor"]) == (3, None)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"search": "LOGO"}, ["b logos", "a vans"]),
        ({"search": "LOGO", "case_sensitive": True}, []),
        ({"filters": {"tags": "x"}}, ["b logos", "c/d"]),
        ({"filters": {"tags": {"$in": ["y", "z"]}}}, ["c/d"]),
        ({"filters": {"collection_ids": {"$in": ["col_1"]}}}, ["a vans"]),
        ({"filters": {"retriever_id": "ret_a"}}, ["a vans"]),
        ({"sort": {"field": "retriever_name", "direction": "desc"}}, ["c/d", "b logos", "a vans"]),
        ({"sorts": [{"field": "version"}]}, ["b logos", "a vans", "c/d"]),
        (
            {"sorts": [{"field": "created_at"}, {"field": "retriever_name"}]},
            ["a vans", "b logos", "c/d"],
        ),
    ],
)
def test_it_finds_and_sorts(
    as_alice: Caller, three: list[Retriever], asked: dict[str, Any], found: list[str]
) -> None:
    assert names(as_alice("POST", "/v1/retrievers/list", asked)) == found


@pytest.mark.parametrize(
    "asked",
    [
        {"filters": {"stages": 1}},
        {"filters": {"tags": 1}},
        {"sort": {"field": "budget"}},
        {"sort": {}},
        {"q": 1},
    ],
)
def test_it_refuses_what_it_cannot_look_for(as_alice: Caller, asked: dict[str, Any]) -> None:
    assert as_alice("POST", "/v1/retrievers/list", asked).status_code == 422


@pytest.mark.parametrize("name", ["ret_c", "c/d", "c%2Fd"])
def test_it_gets_by_id_and_by_name(as_alice: Caller, three: list[Retriever], name: str) -> None:
    assert as_alice("GET", f"/v1/retrievers/{name}").json()["retriever_id"] == "ret_c"
    assert as_alice("GET", "/v1/retrievers/nobody").json()["error"]["type"] == "NotFoundError"


def test_it_shows_an_old_stage_in_the_present_spelling(as_alice: Caller) -> None:
    make_retriever(
        "old", stages=[{"name": "find", "config": {"stage_id": "x", "parameters": {"a": 1}}}]
    )
    (stage,) = as_alice("GET", "/v1/retrievers/old").json()["stages"]
    assert stage == {
        "stage_name": "find",
        "config": {"stage_id": "x", "parameters": {"a": 1}},
        "parameters": {"a": 1},
    }


def test_it_patches_like_an_admin(as_adam: Caller, three: list[Retriever]) -> None:
    reply = as_adam("PATCH", "/v1/retrievers/ret_b", {"retriever_name": "logos", "tags": ["y"]})
    assert reply.status_code == 200, reply.content
    body = reply.json()["retriever"]
    assert (body["retriever_name"], body["tags"], body["version"]) == ("logos", ["y"], 3)
    change = Change.objects.get(pk=int(reply["X-Change-Id"]))
    assert change.fields == {"name": "logos", "tags": {"add": ["y"], "remove": ["x"]}}
    cleared = as_adam("PATCH", "/v1/retrievers/ret_a", {"description": None}).json()["retriever"]
    assert cleared["description"] is None


def test_it_refuses_an_empty_patch_as_upstream_does(
    as_adam: Caller, three: list[Retriever]
) -> None:
    for body in ({}, {"retriever_name": None}):
        assert as_adam("PATCH", "/v1/retrievers/ret_b", body).status_code == 400


@pytest.mark.parametrize(
    "body", [{"stages": []}, {"name": "x"}, {"retriever_name": ""}, {"tags": [""]}, {"tags": "x"}]
)
def test_it_refuses_what_is_not_ours_to_change(
    as_adam: Caller, three: list[Retriever], body: dict[str, Any]
) -> None:
    assert as_adam("PATCH", "/v1/retrievers/ret_b", body).status_code == 422
    assert not Change.objects.exists()


def test_it_refuses_a_patch_from_an_old_tag(as_adam: Caller, three: list[Retriever]) -> None:
    tag = as_adam("GET", "/v1/retrievers/ret_b")["ETag"]
    assert (
        as_adam("PATCH", "/v1/retrievers/ret_b", {"tags": ["q"]}, If_Match=tag).status_code == 200
    )
    reply = as_adam("PATCH", "/v1/retrievers/ret_b", {"tags": ["r"]}, If_Match=tag)
    assert reply.status_code == 409
    assert reply.json()["error"]["details"]["theirs"]["tags"] == ["q"]


def test_it_patches_once_for_a_key(as_adam: Caller, three: list[Retriever]) -> None:
    for _ in range(2):
        assert (
            as_adam(
                "PATCH", "/v1/retrievers/ret_b", {"tags": ["q"]}, Idempotency_Key="k"
            ).status_code
            == 200
        )
    assert Change.objects.count() == 1
