"""The runs of a retriever through the API: found, sorted and paged in our mirror."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from reviewapp.retrievers.models import Execution, Retriever
from tests.api.conftest import Caller
from tests.factories import LONG_AGO, make_execution, make_retriever

pytestmark = pytest.mark.django_db
LIST = "/v1/retrievers/ret_vans/executions/list"


@pytest.fixture
def vans(db: None) -> Retriever:
    """A retriever with three runs, one that has no id yet, and one that Mixpeek no longer has."""
    retriever = make_retriever("vans", retriever_id="ret_vans")
    for number, status in enumerate(("completed", "failed", "completed")):
        created_at = LONG_AGO + timedelta(hours=number)
        make_execution(
            retriever,
            execution_id=f"exec_{number}",
            status=status,
            created_at=created_at,
            total_returned=9 - number,
        )
    make_execution(retriever, execution_id=None, status="requested")
    make_execution(retriever, execution_id="exec_gone", status=Execution.GONE)
    make_execution(make_retriever("logos"))
    return retriever


def ids(reply: Any) -> list[str]:
    assert reply.status_code == 200, reply.content
    return [row["execution_id"] for row in reply.json()["results"]]


def test_it_lists_the_runs_that_mixpeek_has_newest_first(as_alice: Caller, vans: Retriever) -> None:
    for reply in (as_alice("POST", LIST), as_alice("GET", "/v1/retrievers/vans/executions")):
        assert ids(reply) == ["exec_2", "exec_1", "exec_0"]
        pagination = reply.json()["pagination"]
        assert pagination == {
            "total": 3,
            "limit": 10,
            "offset": 0,
            "has_next": False,
            "next_cursor": None,
        }


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"status": "failed"}, ["exec_1"]),
        ({"filters": {"status": {"$in": ["completed"]}}}, ["exec_2", "exec_0"]),
        ({"filters": {"execution_id": "exec_0"}}, ["exec_0"]),
        ({"sorts": [{"field": "total_returned"}]}, ["exec_2", "exec_1", "exec_0"]),
        ({"sorts": [{"field": "created_at", "direction": "asc"}]}, ["exec_0", "exec_1", "exec_2"]),
    ],
)
def test_it_finds_and_sorts(
    as_alice: Caller, vans: Retriever, asked: dict[str, Any], found: list[str]
) -> None:
    assert ids(as_alice("POST", LIST, asked)) == found


@pytest.mark.parametrize(
    "asked", [{"filters": {"inputs": "x"}}, {"sorts": [{"field": "x"}]}, {"q": 1}]
)
def test_it_refuses_what_it_cannot_look_for(
    as_alice: Caller, vans: Retriever, asked: dict[str, Any]
) -> None:
    assert as_alice("POST", LIST, asked).status_code == 422


def test_it_goes_on_after_the_last_run_whatever_is_run_meanwhile(
    as_alice: Caller, vans: Retriever
) -> None:
    first = as_alice("POST", f"{LIST}?limit=2")
    make_execution(vans, execution_id="exec_new", created_at=timezone.now())
    cursor = first.json()["pagination"]["next_cursor"]
    rest = as_alice("POST", f"{LIST}?limit=2&cursor={cursor}")
    assert ids(first) + ids(rest) == ["exec_2", "exec_1", "exec_0"]
    assert (rest.json()["pagination"]["offset"], rest.json()["pagination"]["has_next"]) == (
        2,
        False,
    )


def test_it_says_that_an_execution_is_not_there(as_alice: Caller, vans: Retriever) -> None:
    for missing in ("exec_none", "exec_gone"):
        reply = as_alice("GET", f"/v1/retrievers/vans/executions/{missing}")
        assert reply.status_code == 404
        assert reply.json()["error"]["details"] == {"resource": "execution", "id": missing}
    elsewhere = Execution.objects.exclude(retriever=vans).get()
    reply = as_alice("GET", f"/v1/retrievers/vans/executions/{elsewhere.execution_id}")
    assert reply.json()["error"]["message"] == f"execution not found: {elsewhere.execution_id}"
