"""Typed values: what is written for a person parses back, and its size is bounded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.annotations import parsing
from reviewapp.annotations import payload as payloads

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20
)
PAYLOADS = st.dictionaries(TEXT, JSON, max_size=6)
UNSTORABLE = st.sampled_from(["\0", "a\0", "\ud800", "x\udfffy"])


def _nested(levels: int) -> str:
    return '{"a":' * (levels - 1) + "{}" + "}" * (levels - 1)


@given(PAYLOADS)
def test_it_reads_back_any_payload_it_wrote(value: dict[str, Any]) -> None:
    assert payloads.read(payloads.write(value)) == value


@given(PAYLOADS, UNSTORABLE, st.booleans())
def test_it_refuses_what_postgresql_cannot_hold_anywhere(
    value: dict[str, Any], bad: str, as_key: bool
) -> None:
    text = json.dumps({**value, "deep": [{bad: 1} if as_key else {"a": bad}]})
    with pytest.raises(payloads.BadPayload):
        payloads.read(text)


@given(st.integers(1, 60))
def test_it_bounds_the_depth(levels: int) -> None:
    if levels <= payloads.MAX_PAYLOAD_LEVELS:
        assert payloads.read(_nested(levels)) == json.loads(_nested(levels))
    else:
        with pytest.raises(payloads.BadPayload, match="at most 20 levels deep"):
            payloads.read(_nested(levels))


@given(st.integers(65_400, 65_700), st.sampled_from(["x", "é", "字"]))
def test_it_bounds_the_size_in_bytes(size: int, letter: str) -> None:
    text = json.dumps({"a": letter * (size // len(letter.encode()))}, ensure_ascii=False)
    if len(text.encode()) <= payloads.MAX_PAYLOAD_BYTES:
        assert payloads.read(text)
    else:
        with pytest.raises(payloads.BadPayload, match="at most 65,536"):
            payloads.read(text)


@given(st.text())
def test_it_answers_any_text_with_a_payload_or_a_sentence(text: str) -> None:
    try:
        value = payloads.read(text)
    except payloads.BadPayload as error:
        assert str(error).endswith(".")
    else:
        json.dumps(value, allow_nan=False).encode()


@given(st.floats(0, 1))
def test_it_reads_back_any_confidence_it_wrote(value: float) -> None:
    assert parsing.confidence(parsing.number(value)) == value


@given(st.text(max_size=12))
def test_it_answers_any_text_with_a_confidence_or_a_sentence(text: str) -> None:
    try:
        value = parsing.confidence(text)
    except parsing.InvalidValue as error:
        assert str(error)
    else:
        assert value is None or 0 <= value <= 1


@given(st.lists(st.sampled_from(["a", "\n", "\r\n", "\r"])).map("".join))
def test_it_leaves_reasoning_alone_that_only_went_through_a_browser(base: str) -> None:
    sent = base.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    assert parsing.reasoning(sent, base=base) == base


@given(PAYLOADS)
def test_it_leaves_a_payload_alone_that_only_went_through_a_browser(base: dict[str, Any]) -> None:
    sent = payloads.write(base).replace("\n", "\r\n")
    assert parsing.payload(sent, base=base) == base
