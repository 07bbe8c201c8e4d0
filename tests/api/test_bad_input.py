"""What cannot be read or kept is refused by name; nothing makes the door fail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reviewapp.api import parsers
from reviewapp.api.annotations.render import etag_matches, version_from_etag
from reviewapp.api.errors import Problem
from reviewapp.api.pager import unpack_numbers
from reviewapp.api.retrievers.execute import parse_window
from reviewapp.api.retrievers.input_validation import input_errors
from reviewapp.api.serializers.history import ListHistoryRequest
from reviewapp.web.pagination import pack_cursor
from tests.api.conftest import Caller
from tests.factories import make_annotation

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def complained(reply: Any) -> dict[str, str]:
    """Return {place: type} of a 422."""
    assert reply.status_code == 422, reply.content
    listed = reply.json()["error"]["details"]["validation_errors"]
    return {".".join(map(str, complaint["location"])): complaint["type"] for complaint in listed}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "place", "kind"),
    [
        ({"label": ""}, "body.label", "string_too_short"),
        ({"label": "  "}, "body.label", "string_too_short"),
        ({"label": "a\nb"}, "body.label", "string_pattern_mismatch"),
        ({"label": "x" * 101}, "body.label", "string_too_long"),
        ({"label": 5}, "body.label", "string_type"),
        ({"confidence": "0.5"}, "body.confidence", "float_type"),
        ({"confidence": True}, "body.confidence", "float_type"),
        ({"confidence": 1.01}, "body.confidence", "less_than_equal"),
        ({"confidence": -1}, "body.confidence", "greater_than_equal"),
        ('{"confidence": NaN}', "body.confidence", "json_invalid"),
        ('{"confidence": 1e999}', "body.confidence", "json_invalid"),
        ('{"confidence": 1e-400}', "body.confidence", "json_invalid"),
        ('{"confidence": ' + "9" * 5000 + "}", "body.confidence", "json_invalid"),
        (
            '{"payload": {"a": [0, {"b": 0.1234567890123456789}]}}',
            "body.payload.a.1.b",
            "json_invalid",
        ),
        ('{"payload": {"a": 9007199254740993.0}}', "body.payload.a", "json_invalid"),
        ('{"payload": {"a": 1e400}}', "body.payload.a", "json_invalid"),
        ('{"payload": {"a": -1e-400}}', "body.payload.a", "json_invalid"),
        ('{"payload": {"a": 1e-99999999999999999999}}', "body.payload.a", "json_invalid"),
        ('{"payload": {"a": ' + "9" * 1001 + "}}", "body.payload.a", "json_invalid"),
        ('{"metadata": {"a": [Infinity]}}', "body.metadata.a.0", "json_invalid"),
        ({"confidence": 10**400}, "body.confidence", "finite_number"),
        ({"reasoning": "x" * 5001}, "body.reasoning", "string_too_long"),
        ({"payload": []}, "body.payload", "dict_type"),
        ({"payload": {"a": "x" * 70_000}}, "body.payload", "too_large"),
        ({"metadata": "x"}, "body.metadata", "dict_type"),
        ({"name": "x"}, "body.name", "extra_forbidden"),
        ({"base": {"version": 1}}, "body.base.version", "extra_forbidden"),
        ([], "body", "json_invalid"),
        ("{", "body", "json_invalid"),
        (b"\xff", "body", "json_invalid"),
        ('{"label": "a\\u0000b"}', "body", "json_invalid"),
        ('{"label": "\\ud800"}', "body", "json_invalid"),
        ('{"payload": ' + '{"a":' * 40 + "1" + "}" * 41, "body", "json_invalid"),
        ('{"payload": ' + "[" * 100_000 + "]" * 100_000 + "}", "body", "json_invalid"),
        ('{"label": "a", "label": "b"}', "body", "json_invalid"),
    ],
)
def test_it_names_what_is_wrong_with_a_patch(
    as_alice: Caller,
    body: Any,
    place: str,
    kind: str,
) -> None:
    row = make_annotation()
    assert complained(as_alice("PATCH", f"/v1/annotations/{row.annotation_id}", body)) == {
        place: kind
    }


@pytest.mark.django_db
def test_it_reports_every_complaint_at_once(as_alice: Caller) -> None:
    reply = as_alice("POST", "/v1/annotations", {"label": "", "confidence": 2, "extra": 1})
    assert complained(reply) == {
        "body.document_id": "missing",
        "body.label": "string_too_short",
        "body.confidence": "less_than_equal",
        "body.extra": "extra_forbidden",
    }
    reply = as_alice(
        "POST",
        "/v1/annotations/bulk",
        {"update": [{"annotation_id": "a"}, {"label": 1, "metadata": {}}]},
    )
    assert complained(reply) == {
        "body.update.1.annotation_id": "missing",
        "body.update.1.label": "string_type",
        "body.update.1.metadata": "extra_forbidden",
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("skip=-1", "query.skip"),
        ("limit=0", "query.limit"),
        ("limit=501", "query.limit"),
        ("limit=x", "query.limit"),
    ],
)
def test_it_names_what_is_wrong_with_a_query(as_alice: Caller, query: str, place: str) -> None:
    assert list(complained(as_alice("POST", f"/v1/annotations/list?{query}"))) == [place]


@pytest.mark.django_db
@pytest.mark.parametrize("as_of", ["yesterday", "2026-13-01T00:00:00Z", 5])
def test_it_wants_an_instant(as_alice: Caller, as_of: Any) -> None:
    assert list(complained(as_alice("POST", "/v1/annotations/list", {"as_of": as_of}))) == [
        "body.as_of"
    ]


def test_it_gathers_the_first_of_any_number_of_unknown_keys() -> None:
    body = {f"key {number}": 1 for number in range(5_000)}
    shape = ListHistoryRequest(data=body | {"limit": "x"})
    assert not shape.is_valid()
    assert len(shape.errors) == 101


def test_it_reads_a_zero_with_any_exponent() -> None:
    body = parsers.parse_body(b'{"a": 0e99999999999999999999, "b": -0.0E-99999999999999999999}')
    assert body == {"a": 0.0, "b": 0.0}


@pytest.mark.django_db
def test_it_bounds_the_body(as_alice: Caller) -> None:
    reply = as_alice("POST", "/v1/annotations/bulk", "{" + " " * 1024 * 1024 + "}")
    assert (reply.status_code, reply.json()["error"]["type"]) == (413, "PayloadTooLargeError")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["/v1/annotations/a%00b", "/v1/retrievers/a%00b", "/v1/annotations/%ED%A0%80"],
)
def test_it_finds_nothing_under_an_impossible_id(as_alice: Caller, path: str) -> None:
    assert as_alice("GET", path).status_code in {404, 422}


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_it_reads_a_body_or_refuses_it(raw: bytes) -> None:
    try:
        assert isinstance(parsers.parse_body(raw), dict)
    except Problem as problem:
        assert problem.status == 422


@pytest.mark.django_db
@pytest.mark.parametrize("document_id", ["20240101", "-5", "true", "007", "9" * 30])
def test_it_takes_a_text_of_a_query_to_the_letter(as_alice: Caller, document_id: str) -> None:
    make_annotation(document_id=document_id, label="logo")
    reply = as_alice("GET", f"/v1/annotations/stats?document_id={document_id}")
    assert reply.json() == {"total": 1, "by_label": {"logo": 1}}


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["limit=true", "page=1.5", "include_total=1", "offset=x"])
def test_it_reads_no_number_and_no_switch_into_another_text(as_alice: Caller, query: str) -> None:
    assert list(complained(as_alice("GET", f"/v1/retrievers?{query}"))) == [
        f"query.{query.partition('=')[0]}"
    ]


def test_it_refuses_two_sizes_of_one_page() -> None:
    with pytest.raises(Problem) as refused:
        parse_window({"limit": 3, "page_size": 4})
    assert (refused.value.status, refused.value.details["validation_errors"][0]["location"]) == (
        422,
        ["body", "page_size"],
    )
    assert parse_window({"limit": 3, "page_size": 3}).size == 3
    part = parse_window({"limit": 3, "pagination": {"limit": 4}})
    assert (part.size, part.overruled) == (4, 3)


@given(st.text() | JSON.map(json.dumps))
def test_it_takes_back_only_its_own_cursors(cursor: str) -> None:
    try:
        assert all(0 <= number < 2**62 for number in unpack_numbers(cursor, "start"))
    except Problem as problem:
        assert problem.status == 400


@given(st.integers(min_value=0, max_value=2**61), st.integers(min_value=0, max_value=2**61))
def test_it_unpacks_what_it_packed(execution: int, start: int) -> None:
    packed = pack_cursor({"execution": execution, "start": start})
    assert unpack_numbers(packed, "execution", "start") == [execution, start]
    part = parse_window({"pagination": {"cursor": packed}})
    assert (part.execution, part.start, part.size) == (execution, start, 10)


@given(st.text())
def test_it_compares_any_tag(header: str) -> None:
    version_from_etag(header)
    assert etag_matches('"1-2-3"', header) == ('"1-2-3"' in header or header.strip() == "*")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(), JSON), st.dictionaries(st.text(), JSON))
def test_it_judges_any_inputs_by_any_declaration(
    schema: dict[str, Any],
    inputs: dict[str, Any],
) -> None:
    for kind, location, message in input_errors(schema, inputs):
        assert kind and message and location[:2] == ["body", "inputs"]
