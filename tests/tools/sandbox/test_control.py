"""What steers the sandbox answers to damaged input too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    "text",
    ["", "{", "nonsense", '{"data":' * 100_000, b"\xff"],
    ids=["empty", "open", "nonsense", "deep", "bytes"],
)
def test_it_refuses_a_namespace_that_is_no_json(box: Box, text: str | bytes) -> None:
    reply = box.call("POST", "/_sandbox/namespaces", data=text)

    assert reply.status_code == 400
    assert "not JSON" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        [],
        "x",
        None,
        7,
        {},
        {"data": "/nowhere"},
        {"data": 5, "namespace": "ns"},
        {"data": "/nowhere", "namespace": None},
        {"data": "/nowhere", "namespace": "\ud800"},
        {"data": "/nowhere\0", "namespace": "ns"},
        {"data": "/nowhere", "namespace": "ns"},
    ],
    ids=str,
)
def test_it_refuses_a_namespace_of_another_shape(box: Box, body: Any) -> None:
    reply = box.call("POST", "/_sandbox/namespaces", data=json.dumps(body))

    assert reply.status_code == 422
    assert reply.json()["error"]["message"]
