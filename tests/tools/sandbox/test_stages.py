"""The stages one by one, as tables."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.sandbox.rules.conditions import StageError
from tools.sandbox.rules.stages import Candidate, run_stage

DOCUMENT = {
    "n": 5,
    "s": "Hello",
    "list": ["a", "b"],
    "yes": True,
    "nil": None,
    "deep": {"er": [{"k": 1}, {"k": 2}]},
}


def _candidates(*documents: dict[str, Any]) -> list[Candidate]:
    return [
        Candidate(number=number, document_id=f"d{number}", raw=json.dumps(document))
        for number, document in enumerate(documents)
    ]


def _run(stage_id: str, parameters: dict[str, Any], *documents: dict[str, Any]) -> list[str]:
    passed = run_stage(stage_id, parameters, _candidates(*documents), lambda _query, _fields: {})
    return [candidate.document_id for candidate in passed]


@pytest.mark.parametrize(
    ("field", "operator", "value", "kept"),
    [
        ("n", "eq", 5, True),
        ("n", "eq", 5.0, True),
        ("n", "eq", "5", False),
        ("yes", "eq", 1, False),
        ("yes", "eq", True, True),
        ("nil", "eq", None, True),
        ("n", "ne", 4, True),
        ("gone", "ne", 4, True),
        ("n", "in", [4, 5], True),
        ("n", "nin", [4, 5], False),
        ("n", "gt", 5, False),
        ("n", "gte", 5, True),
        ("n", "lt", 6, True),
        ("n", "lte", 4, False),
        ("n", "gt", "a", False),
        ("gone", "lt", 6, False),
        ("s", "gt", "Apple", True),
        ("s", "contains", "ELL", True),
        ("list", "contains", "b", True),
        ("list", "eq", "b", True),
        ("list.0", "eq", "a", True),
        ("deep.er.k", "contains", 2, True),
        ("deep.er.1.k", "eq", 2, True),
        ("gone", "exists", None, False),
        ("nil", "exists", True, True),
        ("gone", "exists", False, True),
        ("nil", "is_null", True, True),
        ("n", "is_null", True, False),
        ("n", "is_null", False, True),
    ],
)
def test_it_filters_by_attribute(field: str, operator: str, value: Any, kept: bool) -> None:
    parameters = {"field": field, "operator": operator, "value": value}
    assert bool(_run("attribute_filter", parameters, DOCUMENT)) is kept


@pytest.mark.parametrize("envelope", ["payload", "metadata", "_internal"])
def test_it_finds_fields_in_an_envelope(envelope: str) -> None:
    assert _run(
        "attribute_filter",
        {"field": "deep.er.0.k", "operator": "eq", "value": 1},
        {envelope: DOCUMENT},
    )


def test_it_takes_a_missing_value_for_no_condition() -> None:
    assert _run("attribute_filter", {"field": "n", "operator": "gte"}, DOCUMENT) == ["d0"]


@pytest.mark.parametrize(
    ("parameters", "order"),
    [
        ({"field": "p"}, ["d1", "d2", "d0", "d3"]),
        ({"field": "p", "direction": "desc"}, ["d0", "d2", "d1", "d3"]),
    ],
)
def test_it_sorts_with_the_fieldless_last(parameters: dict[str, Any], order: list[str]) -> None:
    assert _run("sort", parameters, {"p": 3}, {"p": 1}, {"p": 2}, {}) == order


@given(st.lists(st.integers() | st.none()))
def test_it_sorts_without_losing_any(values: list[int | None]) -> None:
    order = _run("sort", {"field": "p"}, *({"p": value} for value in values))
    assert sorted(order) == sorted(f"d{number}" for number in range(len(values)))
    known = [values[int(value[1:])] for value in order if values[int(value[1:])] is not None]
    assert known == sorted(value for value in values if value is not None)


@pytest.mark.parametrize(("count", "kept"), [(0, 0), (2, 2), (9, 3)])
def test_it_limits(count: int, kept: int) -> None:
    assert len(_run("limit", {"limit": count}, {}, {}, {})) == kept


@pytest.mark.parametrize(
    ("stage_id", "parameters"),
    [
        ("rerank", {}),
        ("limit", {"limit": -1}),
        ("limit", {"limit": "three"}),
        ("sort", {}),
        ("sort", {"field": "p", "direction": "up"}),
        ("attribute_filter", {"operator": "eq", "value": 1}),
        ("attribute_filter", {"field": "p", "operator": "like", "value": 1}),
        ("attribute_filter", {"AND": "price"}),
        ("attribute_filter", {"NOT": [1]}),
        ("feature_search", {"query": 7}),
        ("feature_search", {"query": "x", "fields": "title"}),
    ],
)
def test_it_says_when_a_stage_makes_no_sense(stage_id: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(StageError):
        _run(stage_id, parameters, DOCUMENT)
