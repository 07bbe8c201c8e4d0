"""Executing: inputs, templates, pages, and failures that come with a 200."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.sandbox.running import Box


def _run(box: Box, name: str, **body: Any) -> dict[str, Any]:
    reply = box.call("POST", f"/v1/retrievers/{name}/execute", json=body)
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def _ids(reply: dict[str, Any]) -> list[str]:
    return [document["document_id"] for document in reply["documents"]]


def test_it_searches_by_relevance(box: Box) -> None:
    reply = _run(box, "search", inputs={"query": "fig 7"}, limit=500)
    assert _ids(reply)[0] == "doc_7"
    scores = [document["score"] for document in reply["documents"]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("inputs", "ids"),
    [
        ({"query": "plum", "least": 33}, ["doc_34", "doc_38"]),
        ({"query": "plum pear", "least": 33, "country": "GR"}, ["doc_33", "doc_37"]),
        ({"query": "mango"}, []),
        ({"query": '"(*'}, []),
    ],
)
def test_it_fills_templates_from_inputs(box: Box, inputs: dict[str, Any], ids: list[str]) -> None:
    assert sorted(_ids(_run(box, "search", inputs=inputs))) == ids


@pytest.mark.parametrize(
    ("inputs", "at"),
    [
        ({}, "query"),
        ({"query": None}, "query"),
        ({"query": 7}, "query"),
        ({"query": "a", "least": "x"}, "least"),
        ({"query": "a", "country": "FR"}, "country"),
    ],
)
def test_it_names_a_missing_or_wrong_input(box: Box, inputs: dict[str, Any], at: str) -> None:
    reply = box.call("POST", "/v1/retrievers/search/execute", json={"inputs": inputs})
    assert reply.status_code == 422
    assert reply.json()["error"]["details"]["validation_errors"][0]["location"] == [
        "body",
        "inputs",
        at,
    ]


def test_it_pages_by_cursor_within_one_execution(box: Box) -> None:
    seen, cursor, executions = [], None, set()
    while True:
        page = _run(
            box,
            "all",
            pagination={"method": "cursor", "limit": 15, **({"cursor": cursor} if cursor else {})},
        )
        seen += _ids(page)
        executions.add(page["execution_id"])
        cursor = page["pagination"]["cursor"]
        if not page["pagination"]["has_next"]:
            break
    assert seen == [f"doc_{number}" for number in reversed(range(40))]
    assert len(executions) == 1


def test_it_refuses_two_sizes_of_one_page_and_names_the_one_overruled(box: Box) -> None:
    reply = box.call("POST", "/v1/retrievers/all/execute", json={"limit": 3, "page_size": 4})
    assert reply.status_code == 422
    assert reply.json()["error"]["details"]["validation_errors"][0]["location"] == [
        "body",
        "page_size",
    ]
    assert len(_run(box, "all", limit=3, page_size=3)["documents"]) == 3
    overruled = _run(box, "all", limit=3, pagination={"method": "cursor", "limit": 5})
    assert len(overruled["documents"]) == 5
    assert overruled["warnings"] == ["limit=3 was not used: pagination asks for 5"]


def test_it_pages_by_offset(box: Box) -> None:
    page = _run(box, "all", pagination={"method": "offset", "page_size": 15, "page_number": 3})
    assert _ids(page) == [f"doc_{number}" for number in reversed(range(10))]
    assert page["pagination"]["total"] == 40
    assert not page["pagination"]["has_next"]


def test_it_gives_ten_unless_asked(box: Box) -> None:
    assert len(_run(box, "all")["documents"]) == 10
    assert len(_run(box, "all", limit=3)["documents"]) == 3


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"limit": 501}, 422),
        ({"settings": {}}, 422),
        ({"pagination": {"method": "cursor", "limit": 0}}, 422),
        ({"pagination": {"method": "scroll"}}, 422),
        ({"pagination": {"cursor": "nonsense"}}, 400),
        ({"filters": {"field": "price", "operator": "near", "value": 1}}, 422),
        ({"stream": True}, 400),
    ],
)
def test_it_refuses_what_it_cannot_do(box: Box, body: dict[str, Any], status: int) -> None:
    assert box.call("POST", "/v1/retrievers/all/execute", json=body).status_code == status


def test_it_refuses_a_cursor_of_other_inputs(box: Box) -> None:
    page = _run(box, "search", inputs={"query": "plum"}, limit=2)
    body = {
        "inputs": {"query": "fig"},
        "pagination": {"method": "cursor", "cursor": page["pagination"]["cursor"]},
    }
    assert box.call("POST", "/v1/retrievers/search/execute", json=body).status_code == 400


def test_it_narrows_by_filters(box: Box) -> None:
    condition = {
        "AND": [
            {"field": "price", "operator": "lt", "value": 4},
            {"field": "origin.country", "value": "JP"},
        ]
    }
    assert _ids(_run(box, "all", filters=condition)) == ["doc_2", "doc_0"]


def test_it_fails_with_200_on_a_stage_it_cannot_run(box: Box) -> None:
    failed = _run(box, "broken")
    assert (failed["status"], failed["documents"]) == ("failed", [])
    assert "llm_enrich" in failed["error"]
    assert (
        box.call("POST", "/v1/retrievers/broken/executions/list").json()["results"][0]["status"]
        == "failed"
    )


def test_it_is_degraded_when_the_stage_may_be_skipped(box: Box) -> None:
    reply = _run(box, "lenient")
    assert (reply["status"], len(reply["documents"]), reply["degraded"][0]["stage"]) == (
        "degraded",
        10,
        "dream",
    )
