"""What null in an edit does: `--null`, and `PUT /_sandbox/null` while the sandbox runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox_data import write_fruit_folder
from tests.tools.sandbox.running import Box, running_sandbox

VALUES: dict[str, Any] = {
    "confidence": 0.5,
    "reasoning": "a small logo",
    "payload": {"a": 1},
    "metadata": {"by": "machine"},
}
NULLS = dict.fromkeys(VALUES)
OLD_VALUES = {key: value for key, value in VALUES.items() if key != "metadata"}


@pytest.fixture
def filled_id(box: Box) -> str:
    return _create(box)


@pytest.fixture
def old_filled_id(old_box: Box) -> str:
    return _create(old_box)


def _create(box: Box) -> str:
    new = {"document_id": "doc_1", "label": "unripe", **VALUES}
    return str(box.call("POST", "/v1/annotations", json=new).json()["annotation_id"])


def _read(box: Box, annotation_id: str) -> dict[str, Any]:
    body: dict[str, Any] = box.call("GET", f"/v1/annotations/{annotation_id}").json()
    return body


def _values(body: dict[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in VALUES if key in body}


def test_it_clears_each_field_on_null_by_default(box: Box, filled_id: str) -> None:
    after = box.call("PATCH", f"/v1/annotations/{filled_id}", json=NULLS).json()
    assert (_values(after), after["version"]) == (NULLS, 2)
    assert after["revisions"][0]["prior"] == VALUES
    assert _values(_read(box, filled_id)) == NULLS


def test_it_makes_no_version_of_ignored_nulls(box: Box, filled_id: str) -> None:
    box.null("ignore")
    reply = box.call("PATCH", f"/v1/annotations/{filled_id}", json=NULLS)
    assert (reply.status_code, reply.json()["version"]) == (200, 1)
    assert _values(reply.json()) == VALUES


def test_it_sets_the_rest_beside_ignored_nulls(box: Box, filled_id: str) -> None:
    box.null("ignore")
    after = box.call(
        "PATCH",
        f"/v1/annotations/{filled_id}",
        json={**NULLS, "label": "ripe"},
    ).json()
    assert (after["label"], after["version"]) == ("ripe", 2)
    assert after["revisions"][0]["prior"] == {"label": "unripe"}
    assert _values(after) == VALUES


def test_it_refuses_each_null_by_name_and_sets_nothing(box: Box, filled_id: str) -> None:
    box.null("refuse")
    reply = box.call("PATCH", f"/v1/annotations/{filled_id}", json={"label": "ripe", **NULLS})
    assert reply.status_code == 422
    error = reply.json()["error"]
    assert error["type"] == "ValidationError"
    locations = [complaint["location"] for complaint in error["details"]["validation_errors"]]
    assert locations == [["body", field] for field in NULLS]
    after = _read(box, filled_id)
    assert (after["label"], after["version"], _values(after)) == ("unripe", 1, VALUES)


def test_it_still_takes_nulls_of_a_create(box: Box) -> None:
    box.null("refuse")
    new = {"document_id": "doc_1", "label": "ripe", **NULLS}
    reply = box.call("POST", "/v1/annotations", json=new)
    assert (reply.status_code, _values(reply.json())) == (200, NULLS)


@pytest.mark.parametrize("mode", ["clear", "ignore", "refuse"])
def test_it_counts_a_null_label_as_not_given(box: Box, filled_id: str, mode: str) -> None:
    box.null(mode)
    reply = box.call("PATCH", f"/v1/annotations/{filled_id}", json={"label": None})
    assert (reply.status_code, reply.json()["label"], reply.json()["version"]) == (200, "unripe", 1)


@pytest.mark.parametrize("mode", ["clear", "ignore", "refuse"])
def test_it_takes_an_empty_reasoning_as_a_value(box: Box, filled_id: str, mode: str) -> None:
    box.null(mode)
    reply = box.call("PATCH", f"/v1/annotations/{filled_id}", json={"reasoning": ""})
    assert (reply.status_code, reply.json()["reasoning"], reply.json()["version"]) == (200, "", 2)


def _bulk(box: Box, annotation_id: str) -> Any:
    update = {"annotation_id": annotation_id, **dict.fromkeys(OLD_VALUES)}
    untouched = {"annotation_id": "ann_none", "confidence": 0.1}
    return box.call("POST", "/v1/annotations/bulk", json={"update": [untouched, update]})


@pytest.mark.parametrize(("mode", "version"), [("clear", 2), ("ignore", 1)])
def test_it_clears_or_ignores_nulls_in_bulk(
    box: Box,
    filled_id: str,
    mode: str,
    version: int,
) -> None:
    box.null(mode)
    reply = _bulk(box, filled_id)
    assert [row["success"] for row in reply.json()["results"]] == [False, True]
    after = _read(box, filled_id)
    left = dict.fromkeys(OLD_VALUES) if mode == "clear" else OLD_VALUES
    assert (_values(after), after["version"]) == ({**left, "metadata": VALUES["metadata"]}, version)


def test_it_refuses_nulls_in_bulk_with_the_place_of_the_item(box: Box, filled_id: str) -> None:
    box.null("refuse")
    reply = _bulk(box, filled_id)
    assert reply.status_code == 422
    listed = reply.json()["error"]["details"]["validation_errors"]
    assert [row["location"] for row in listed] == [
        ["body", "update", 1, field] for field in OLD_VALUES
    ]
    assert _values(_read(box, filled_id)) == VALUES


def test_it_clears_in_the_old_dialect(old_box: Box, old_filled_id: str) -> None:
    after = old_box.call("PATCH", f"/v1/annotations/{old_filled_id}", json=NULLS).json()
    assert _values(after) == dict.fromkeys(OLD_VALUES)


def test_it_ignores_in_the_old_dialect(old_box: Box, old_filled_id: str) -> None:
    old_box.null("ignore")
    before = _read(old_box, old_filled_id)
    after = old_box.call("PATCH", f"/v1/annotations/{old_filled_id}", json=NULLS).json()
    assert _values(before) == OLD_VALUES
    assert after == before


def test_it_refuses_in_the_old_dialect_as_fastapi(old_box: Box, old_filled_id: str) -> None:
    old_box.null("refuse")
    reply = old_box.call("PATCH", f"/v1/annotations/{old_filled_id}", json=NULLS)
    assert reply.status_code == 422
    assert [row["loc"] for row in reply.json()["detail"]] == [
        ["body", field] for field in OLD_VALUES
    ]
    assert _values(_read(old_box, old_filled_id)) == OLD_VALUES


def test_it_starts_in_the_mode_of_the_command_line_and_returns_to_it(tmp_path: Path) -> None:
    with running_sandbox(write_fruit_folder(tmp_path), extra_args=["--null", "refuse"]) as own:
        null_confidence = {"confidence": None}
        assert own.call("PATCH", "/v1/annotations/ann_1", json=null_confidence).status_code == 422
        own.null("ignore")
        assert own.call("GET", "/_sandbox/null").json() == {"mode": "ignore"}
        assert own.call("PATCH", "/v1/annotations/ann_1", json=null_confidence).status_code == 200
        own.clear()
        assert own.call("PATCH", "/v1/annotations/ann_1", json=null_confidence).status_code == 422


@pytest.mark.parametrize(
    "text", ['{"mode": "forget"}', '{"mode": null}', "{}", '{"mode": "ignore", "x": 1}', "[]", "{"]
)
def test_it_refuses_a_mode_it_does_not_know(box: Box, text: str) -> None:
    assert box.call("PUT", "/_sandbox/null", data=text).status_code == 422
    assert box.call("GET", "/_sandbox/null").json() == {"mode": "clear"}
