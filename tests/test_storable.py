"""What PostgreSQL can store, by the judgement of PostgreSQL itself."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from django.db import connection

from reviewapp.storable import MAX_INTEGER_DIGITS, is_storable, storable_json, storable_text


@pytest.mark.parametrize(
    "value",
    ["a\0b", "\ud800", {"a": ["fine", {"b": "\udfff"}]}, {"a\0": 1}, ["x", ("y", "\0")]],
)
def test_it_finds_what_cannot_be_stored_at_any_depth(value: Any) -> None:
    assert not is_storable(value)
    assert is_storable(storable_json(value))


@pytest.mark.parametrize("value", ["", "\\u0000", "𝄞\ufffd", {"a": [1, None, True, 0.5]}])
def test_it_leaves_what_can_be_stored_alone(value: Any) -> None:
    assert is_storable(value)
    assert storable_json(value) == value


def test_it_searches_deeper_than_recursion_reaches() -> None:
    value: Any = "\0"
    for _ in range(100_000):
        value = [value]
    assert not is_storable(value)


def test_it_cuts_a_text_after_replacing() -> None:
    assert storable_text("a\0b\ud800c", 3) == "a\ufffdb"


@pytest.mark.django_db
def test_postgresql_takes_what_was_made_storable() -> None:
    deep: Any = "bottom"
    for _ in range(10_000):
        deep = [deep]
    value = {
        "a\0": "\ud800",
        "numbers": [math.inf, math.nan, 10**MAX_INTEGER_DIGITS, -(10**5_000), 0.5, 2**64],
        "deep": deep,
    }
    text = json.dumps(storable_json(value), allow_nan=False)

    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb -> 'numbers'", [text])
        ((numbers,),) = cursor.fetchall()

    too_large = "a number too large to keep"
    assert json.loads(numbers) == ["inf", "nan", too_large, too_large, 0.5, 2**64]
