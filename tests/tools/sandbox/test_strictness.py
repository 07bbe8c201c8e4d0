"""What Mixpeek refuses, the sandbox refuses: raw calls that the official client never sends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox_data import write_fruit_folder
from tests.tools.sandbox.running import Box, running_sandbox


def _complaints(reply: requests.Response) -> list[tuple[str, str]]:
    assert reply.status_code == 422, reply.text
    body = reply.json()
    assert (body["success"], body["status"], body["error"]["type"]) == (
        False,
        422,
        "ValidationError",
    )
    listed = body["error"]["details"]["validation_errors"]
    return [(complaint["type"], ".".join(map(str, complaint["location"]))) for complaint in listed]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"label": ""}, "string_too_short"),
        ({"label": "x" * 101}, "string_too_long"),
        ({"label": 7}, "string_type"),
        ({"label": "\ud800"}, "string_unicode"),
        ({"confidence": 1.01}, "less_than_equal"),
        ({"confidence": -0.1}, "greater_than_equal"),
        ({"confidence": "0.5"}, "float_type"),
        ({"confidence": True}, "float_type"),
        ({"reasoning": "x" * 5001}, "string_too_long"),
        ({"payload": []}, "dict_type"),
        ({"metadata": "x"}, "dict_type"),
        ({"reviewer": "x"}, "extra_forbidden"),
        ({"name": "x", "label": "y"}, "extra_forbidden"),
    ],
)
def test_it_refuses_a_wrong_annotation(
    box: Box,
    annotation_id: str,
    body: dict[str, Any],
    kind: str,
) -> None:
    reply = box.call("PATCH", f"/v1/annotations/{annotation_id}", json=body)
    assert [found for found, _at in _complaints(reply)] == [kind]
    assert box.call("GET", f"/v1/annotations/{annotation_id}").json()["version"] == 1


@pytest.mark.parametrize(
    "text",
    [
        '{"confidence": NaN}',
        '{"payload": {"a": 1e999}}',
        "{",
        "[1]",
        '"x"',
        "[" * 100_000,
        '{"payload":' + '{"a":' * 900 + "1" + "}" * 901,
    ],
)
def test_it_refuses_what_is_no_json_object(box: Box, annotation_id: str, text: str) -> None:
    reply = box.call("PATCH", f"/v1/annotations/{annotation_id}", data=text)
    assert reply.status_code == 422, reply.text


def test_it_takes_the_limits_themselves(box: Box, annotation_id: str) -> None:
    body = {"label": "x" * 100, "confidence": 1, "reasoning": "é" * 5000, "payload": {"nul": "\0"}}
    reply = box.call("PATCH", f"/v1/annotations/{annotation_id}", json=body)
    assert (reply.status_code, reply.json()["payload"]) == (200, {"nul": "\0"})


def test_it_names_every_missing_key_of_a_create(box: Box) -> None:
    assert _complaints(box.call("POST", "/v1/annotations", json={})) == [
        ("missing", "body.document_id"),
        ("missing", "body.label"),
    ]


def test_it_refuses_metadata_in_bulk(box: Box, annotation_id: str) -> None:
    update = {"annotation_id": annotation_id, "label": "x", "metadata": {}}
    reply = box.call("POST", "/v1/annotations/bulk", json={"update": [update]})
    assert _complaints(reply) == [("extra_forbidden", "body.update.0.metadata")]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "skip=-1", f"skip={10**30}"])
def test_it_keeps_list_parameters_in_range(box: Box, query: str) -> None:
    reply = box.call("POST", f"/v1/annotations/list?{query}")
    assert _complaints(reply)[0][1] == f"query.{query.partition('=')[0]}"


def test_it_clears_with_null_but_never_the_label(box: Box, annotation_id: str) -> None:
    reply = box.call(
        "PATCH",
        f"/v1/annotations/{annotation_id}",
        json={"label": None, "confidence": None},
    )
    assert (reply.json()["label"], reply.json()["confidence"], reply.json()["version"]) == (
        "unripe",
        None,
        2,
    )


@pytest.mark.parametrize("body", [{}, {"retriever_name": None}, None])
def test_it_refuses_an_empty_retriever_patch(box: Box, body: dict[str, Any] | None) -> None:
    reply = box.call("PATCH", "/v1/retrievers/ret_all", json=body)
    assert (reply.status_code, reply.json()["error"]["type"]) == (400, "BadRequestError")


@pytest.mark.parametrize(
    ("name", "body", "at"),
    [
        ("all", {"name": "x"}, "body.name"),
        ("all", {"budget_limits": {}}, "body.budget_limits"),
        ("all", {"tags": "a"}, "body.tags"),
        ("all", {"tags": ["a", 1]}, "body.tags.1"),
        ("all", {"retriever_name": ""}, "body.retriever_name"),
        ("all", {"visibility": "secret"}, "body.visibility"),
        ("all", {"stages": []}, "body.stages"),
        (
            "published",
            {"stages": [{"stage_name": "x", "config": {"stage_id": "limit"}}]},
            "body.stages",
        ),
        ("patched", {"input_schema": {}}, "body.input_schema"),
        ("patched", {"input_schema": {"a": {"type": "number"}}}, "body.input_schema"),
        (
            "patched",
            {"input_schema": {"a": {"type": "string"}, "b": {"type": "string", "required": True}}},
            "body.input_schema",
        ),
    ],
)
def test_it_refuses_a_wrong_retriever_patch(
    box: Box,
    name: str,
    body: dict[str, Any],
    at: str,
) -> None:
    assert [
        found
        for _kind, found in _complaints(box.call("PATCH", f"/v1/retrievers/ret_{name}", json=body))
    ] == [at]


def test_it_wants_a_key_and_a_namespace(box: Box) -> None:
    url = f"{box.url}/v1/annotations/ann_1"
    without_key = requests.get(url, headers={"X-Namespace": "ns_sample"}, timeout=60)
    without_space = requests.get(url, headers={"Authorization": "Bearer sk_x"}, timeout=60)
    assert (without_key.status_code, without_space.status_code) == (401, 400)
    by_name = requests.get(
        url,
        headers={"Authorization": "Bearer sk_x", "X-Namespace": "sample"},
        timeout=60,
    )
    assert by_name.status_code == 200


def test_it_answers_an_unknown_namespace_as_upstream(box: Box) -> None:
    headers = {"X-Namespace": "ns_nowhere"}
    listed = box.call("POST", "/v1/retrievers/list", headers=headers)
    assert (listed.status_code, listed.json()["results"]) == (200, [])
    assert listed.headers["X-Namespace-Unresolved"] == "ns_nowhere"
    assert listed.json()["warnings"][0]["reason"] == "unresolved"
    assert box.call("GET", "/v1/annotations/ann_1", headers=headers).status_code == 404


def test_it_gives_every_answer_a_request_id(box: Box) -> None:
    for path in ("/v1/annotations/ann_1", "/v1/annotations/none", "/v1/nothing", "/media/x"):
        assert box.call("GET", path).headers["x-request-id"]
    assert (
        box.call("GET", "/v1/nothing", headers={"X-Request-Id": "mine"}).headers["x-request-id"]
        == "mine"
    )


@pytest.mark.process
def test_it_refuses_another_key_when_one_was_named(tmp_path: Path) -> None:
    with running_sandbox(
        write_fruit_folder(tmp_path),
        extra_args=["--key", "sk_mine", "--namespace", "ns_own"],
    ) as own:
        assert own.call("GET", "/v1/annotations/ann_1").json()["namespace_id"] == "ns_own"
        other = {"Authorization": "Bearer sk_other"}
        assert own.call("GET", "/v1/annotations/ann_1", headers=other).status_code == 401
