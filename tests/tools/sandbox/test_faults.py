"""Scripted answers: what a client meets when upstream is slow, wrong, or gone."""

from __future__ import annotations

import time

import pytest
import requests

from tests.tools.sandbox.running import Box

PATH = "/v1/annotations/ann_8"


def _version(box: Box) -> int:
    return int(box.call("GET", PATH).json()["version"])


def _patch(box: Box) -> requests.Response:
    return box.call("PATCH", PATH, json={"reasoning": f"after version {_version(box)}"})


def test_it_answers_as_scripted_and_then_truly(box: Box) -> None:
    box.faults(
        [
            {
                "method": "PATCH",
                "path": PATH,
                "status": 503,
                "headers": {"Retry-After": "7"},
                "times": 2,
            }
        ]
    )
    before = _version(box)
    replies = [_patch(box) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [503, 503, 200]
    assert replies[0].headers["Retry-After"] == "7"
    assert replies[0].json()["error"]["type"] == "InferenceServiceUnavailableError"
    assert _version(box) == before + 1
    assert box.faults_left() == []


def test_it_sends_any_body(box: Box) -> None:
    box.faults(
        [
            {"method": "PATCH", "body": "<html>busy</html>"},
            {"method": "PATCH", "status": 409, "body": {"a": [1]}},
        ]
    )
    page, conflict = _patch(box), _patch(box)
    assert (page.status_code, page.text) == (200, "<html>busy</html>")
    assert page.headers["content-type"].startswith("text/html")
    assert (conflict.status_code, conflict.json()) == (409, {"a": [1]})


def test_it_can_apply_and_answer_with_an_error_all_the_same(box: Box) -> None:
    before = _version(box)
    box.faults([{"method": "PATCH", "status": 504, "apply": True}])
    assert _patch(box).status_code == 504
    assert _version(box) == before + 1


@pytest.mark.parametrize(("drop", "bumps"), [("before", 0), ("after", 1)])
def test_it_drops_the_connection(box: Box, drop: str, bumps: int) -> None:
    before = _version(box)
    box.faults([{"method": "PATCH", "drop": drop}])
    with pytest.raises(requests.ConnectionError):
        _patch(box)
    assert _version(box) == before + bumps
    assert [request["dropped"] for request in box.received(method="PATCH")] == [drop]


def test_it_cuts_a_body_short(box: Box) -> None:
    box.faults([{"method": "GET", "path": "annotations/ann_\\d+$", "truncate": 12}])
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        box.call("GET", PATH)
    assert box.call("GET", PATH).status_code == 200


def test_it_delays_and_changes_the_true_answer(box: Box) -> None:
    box.faults([{"path": "/v1/annotations", "delay": 0.3, "headers": {"X-Slow": "yes"}}])
    started = time.monotonic()
    reply = box.call("GET", PATH)
    assert time.monotonic() - started >= 0.3
    assert (reply.status_code, reply.headers["X-Slow"], reply.json()["annotation_id"]) == (
        200,
        "yes",
        "ann_8",
    )


def test_it_uses_faults_in_order_and_only_where_they_match(box: Box) -> None:
    box.faults([{"method": "DELETE", "status": 500}, {"path": "/v1/retrievers", "status": 429}])
    assert box.call("GET", PATH).status_code == 200
    assert box.call("GET", "/v1/retrievers/all").status_code == 429
    assert [fault["method"] for fault in box.faults_left()] == ["DELETE"]


@pytest.mark.parametrize(
    "fault",
    [{"stauts": 500}, {"drop": "during"}, {"path": "("}, {"times": 0}, 7],
)
def test_it_refuses_a_fault_it_does_not_understand(box: Box, fault: object) -> None:
    reply = requests.post(f"{box.url}/_sandbox/faults", json=[fault], timeout=60)
    assert reply.status_code == 422
    assert box.faults_left() == []


def test_it_shows_what_it_received(box: Box) -> None:
    box.call("PATCH", f"{PATH}?a=b", json={"label": "seen"})
    (entry,) = box.received(method="PATCH", path=PATH)
    assert (entry["query"], entry["body"], entry["status"]) == ("a=b", {"label": "seen"}, 200)
    assert box.key not in str(box.received())
