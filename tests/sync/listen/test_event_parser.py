"""What a webhook speaks of, in any shape it may have, and in none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.sync.listen.event_parser import WebhookEvent, parse_webhook_body, version_of

UPDATED = {"event_id": "evt_1", "event_type": "annotation.updated"}


def body(**values: Any) -> bytes:
    return json.dumps(UPDATED | values).encode()


@pytest.mark.parametrize(
    "named",
    [
        {"subject": {"type": "annotation", "id": "ann_1"}},
        {"subject": {"id": "ann_1"}},
        {"subject": {"type": "annotation", "id": 7}, "metadata": {"annotation_id": "ann_1"}},
        {"subject": {"type": "document", "id": "doc_1"}, "metadata": {"annotation_id": "ann_1"}},
        {"metadata": None, "payload": {"annotation_id": "ann_1"}},
        {"annotation_id": "ann_1"},
    ],
)
def test_it_finds_the_annotation(named: dict[str, Any]) -> None:
    assert parse_webhook_body(body(**named)) == WebhookEvent(
        key="event:evt_1", event_type="annotation.updated", annotation_id="ann_1"
    )


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"annotation_id": ""},
        {"annotation_id": "a" * 201},
        {"annotation_id": "ann\u00001"},
        {"annotation_id": "ann\ud800"},
        {"annotation_id": " ann_1"},
        {"subject": "ann_1"},
        {"event_type": "document.updated", "annotation_id": "ann_1"},
        {"event_type": "annotation.praised", "annotation_id": "ann_1"},
        {"event_type": ["annotation.updated"], "annotation_id": "ann_1"},
    ],
)
def test_it_finds_none_where_none_is_named(named: dict[str, Any]) -> None:
    assert parse_webhook_body(body(**named)).annotation_id == ""


def test_it_tells_bodies_without_an_id_apart_by_their_digest() -> None:
    one, other = (
        parse_webhook_body(body(event_id=None)),
        parse_webhook_body(body(event_id=None, more=1)),
    )
    assert one.key.startswith("sha256:")
    assert one.key != other.key
    assert one.key == parse_webhook_body(body(event_id=None)).key


def test_it_takes_no_digest_for_an_id() -> None:
    plain = parse_webhook_body(b"{}")
    assert parse_webhook_body(body(event_id=plain.key)).key != plain.key


@given(st.binary())
def test_it_reads_any_bytes(raw: bytes) -> None:
    assert parse_webhook_body(raw).key


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "event_id",
                        "event_type",
                        "subject",
                        "id",
                        "type",
                        "metadata",
                        "payload",
                        "annotation_id",
                    ]
                ),
                x,
            )
        ),
    )
)
def test_it_reads_any_json(said: Any) -> None:
    found = parse_webhook_body(json.dumps(said).encode())
    assert len(found.key) <= 210
    assert len(found.annotation_id) <= 200


@pytest.mark.parametrize(
    ("payload", "version"),
    [
        ({"annotation_id": "ann_1", "version": 3}, 3),
        ({"version": 3}, None),
        ({"annotation_id": "ann_1", "version": True}, None),
        ({"annotation_id": "ann_1", "version": "3"}, None),
        ({"annotation_id": "ann_1"}, None),
    ],
)
def test_it_believes_a_version_only_beside_its_annotation(
    payload: dict[str, Any], version: int | None
) -> None:
    assert version_of(payload) == version
