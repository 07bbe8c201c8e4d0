"""The form of a run, made of what upstream declares."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.retrievers.executions.forms import RunForm
from reviewapp.retrievers.models import Retriever


def form(schema: dict[str, Any], **typed: Any) -> RunForm:
    return RunForm(
        Retriever(input_schema=schema), {f"input-{name}": value for name, value in typed.items()}
    )


def parse_input(declared: dict[str, Any], typed: Any) -> Any:
    filled = form({"it": declared}, it=typed)
    assert filled.is_valid(), filled.errors
    return filled.inputs().get("it")


@pytest.mark.parametrize(
    ("kind", "typed", "sent"),
    [
        ("string", " a b ", "a b"),
        ("text", "a\nb", "a\nb"),
        ("number", "0.5", 0.5),
        ("float", "1e-3", 0.001),
        ("integer", "7", 7),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("object", '{"a": [1, null]}', {"a": [1, None]}),
        ("array", '["a", 2]', ["a", 2]),
        ("array", "one\n two \n", ["one", "two"]),
        ("date", "2026-11-21", "2026-11-21"),
        ("datetime", "2026-11-21T10:30:00", "2026-11-21T10:30:00+00:00"),
        ("datetime", "2026-11-21T10:30:00+02:00", "2026-11-21T10:30:00+02:00"),
        ("image", "https://example.com/a.png", "https://example.com/a.png"),
        ("audio", "s3://bucket/a.mp3", "s3://bucket/a.mp3"),
        ("video", "gs://bucket/a.mp4", "gs://bucket/a.mp4"),
        ("pdf", "data:application/pdf;base64,AAAA", "data:application/pdf;base64,AAAA"),
        ("excel", "http://example.com/a.xlsx", "http://example.com/a.xlsx"),
        ("document_reference", "doc_1", "doc_1"),
        ("hologram", "whatever", "whatever"),
    ],
)
def test_it_sends_what_was_typed_in_the_declared_type(kind: str, typed: str, sent: Any) -> None:
    assert parse_input({"type": kind}, typed) == sent


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("number", "abc"),
        ("number", "nan"),
        ("number", "inf"),
        ("integer", "1.5"),
        ("boolean", "perhaps"),
        ("object", "[1]"),
        ("object", "{"),
        ("object", '{"a": NaN}'),
        ("object", '{"a": "\\ud800"}'),
        ("object", '{"a": "\\u0000"}'),
        ("object", "[" * 5000),
        ("object", '{"a": "' + "x" * 70_000 + '"}'),
        ("array", '["a"'),
        ("array", "[0.1234567890123456789]"),
        ("array", "[NaN]"),
        ("date", "21.11.2026 or so"),
        ("datetime", "soon"),
        ("image", "javascript:alert(1)"),
        ("image", "file:///etc/passwd"),
        ("video", "just words"),
        ("string", "a\x00b"),
        ("string", "a\ud800b"),
        ("document_reference", "d" * 201),
    ],
)
def test_it_says_what_is_wrong_with_a_bad_value(kind: str, typed: str) -> None:
    filled = form({"it": {"type": kind}}, it=typed)
    assert not filled.is_valid()
    assert filled.errors["it"]


@pytest.mark.parametrize("levels", [20, 21, 400, 50_000])
@pytest.mark.parametrize(
    ("kind", "opening", "closing"), [("object", '{"a":', "}"), ("array", "[", "]")]
)
def test_it_takes_json_of_twenty_levels(kind: str, opening: str, closing: str, levels: int) -> None:
    inner = levels - 1
    typed = opening * inner + opening[0] + closing + closing * inner
    if len(typed) > 64 * 1024:
        typed = opening * inner

    filled = form({"it": {"type": kind}}, it=typed)

    assert filled.is_valid() is (levels == 20)
    if levels in {21, 400}:
        assert "nested too deeply: 20 levels at most" in str(filled.errors)


def test_it_asks_for_what_is_required_and_leaves_out_what_is_empty() -> None:
    filled = form(
        {"must": {"type": "string", "required": True}, "may": {"type": "number"}}, must="", may=""
    )
    assert list(filled.errors) == ["must"]
    assert form({"may": {"type": "object"}, "too": {"type": "boolean"}}, may="", too="").is_valid()


def test_it_sends_a_zero_and_a_no() -> None:
    filled = form({"n": {"type": "integer"}, "b": {"type": "boolean"}}, n="0", b="false")
    assert filled.is_valid()
    assert filled.inputs() == {"n": 0, "b": False}


def test_it_offers_an_enum_as_choices_and_sends_the_value_itself() -> None:
    declared = {"type": "integer", "enum": [1, 2], "default": 2}
    assert parse_input(declared, "1") == 1
    assert 'value="2" selected' in str(
        form({"it": declared}).__class__(Retriever(input_schema={"it": declared}))["it"]
    )
    assert not form({"it": declared}, it="3").is_valid()


def test_it_offers_several_of_an_enum_for_an_array() -> None:
    assert parse_input({"type": "array", "enum": ["a", "b", "c"]}, ["a", "c"]) == ["a", "c"]


def test_it_shows_defaults_examples_and_descriptions() -> None:
    declared = {
        "type": "string",
        "default": "van",
        "examples": ["bus", "car"],
        "description": "What to <b>find</b>",
    }
    field = RunForm(Retriever(input_schema={"thing": declared}))["thing"]
    html = str(field)
    assert 'value="van"' in html
    assert 'placeholder="For example: bus"' in html
    assert 'list="examples-0"' in html
    assert field.help_text == "What to <b>find</b>"


@pytest.mark.parametrize(
    ("kind", "default", "shown"),
    [
        ("date", "2026-09-01T10:00:00Z", 'value="2026-09-01"'),
        ("datetime", "2026-09-01T10:00:00+02:00", 'value="2026-09-01T08:00:00"'),
        ("datetime", "2026-09-01", 'value="2026-09-01T00:00:00"'),
        ("boolean", False, '<option value="false" selected>No'),
        ("object", {"a": 1}, "&quot;a&quot;: 1"),
    ],
)
def test_it_shows_a_default_as_browsers_want_it(kind: str, default: Any, shown: str) -> None:
    assert shown in str(
        RunForm(Retriever(input_schema={"it": {"type": kind, "default": default}}))["it"]
    )


def test_it_keeps_within_declared_bounds() -> None:
    assert not form({"n": {"type": "integer", "minimum": 1, "maximum": 5}}, n="6").is_valid()


@pytest.mark.parametrize(
    "kind",
    [
        "string",
        "text",
        "integer",
        "number",
        "boolean",
        "array",
        "object",
        "date",
        "datetime",
        "image",
    ],
)
@pytest.mark.parametrize("default", [[], [{}], {"a": 1}, 10**400, -0.5, "x", True, None], ids=repr)
def test_it_shows_a_field_whatever_its_default_is(kind: str, default: Any) -> None:
    for enum in (None, [default], ["x", default]):
        declared = {"type": kind, "default": default, "enum": enum}
        assert 'name="input-it"' in str(form({"it": declared})["it"])


WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["type", "required", "default", "enum", "examples", "description", "minimum", "maximum"]
)


@given(st.dictionaries(st.text(max_size=8), st.dictionaries(KEYS, WILD) | WILD, max_size=4))
def test_it_makes_a_form_of_any_declaration(schema: dict[str, Any]) -> None:
    blank = RunForm(Retriever(input_schema=schema))
    for field, examples, kind in blank.rows():
        assert isinstance(str(field), str)
        assert isinstance(examples, list)
        assert isinstance(kind, str)
    RunForm(Retriever(input_schema=schema), {f"input-{name}": "x" for name in schema}).is_valid()


@pytest.mark.parametrize("typed", ["0.1234567890123456789", "9007199254740993.5", "1e-400"])
def test_it_refuses_a_number_that_cannot_be_kept_to_the_digit(typed: str) -> None:
    run_form = form({"n": {"type": "number"}}, n=typed)
    assert not run_form.is_valid()
    assert "cannot be kept to the digit" in str(run_form.errors["n"])


@pytest.mark.parametrize("typed", ["0.1", " 48.8583736 ", "1e-07", "-0.50", "3"])
def test_it_sends_an_exact_number(typed: str) -> None:
    assert parse_input({"type": "number"}, typed) == float(typed)


def test_it_shows_examples_and_choices_to_the_digit() -> None:
    schema = {"n": {"type": "number", "examples": [1234567.89]}, "m": {"enum": [48.8583736]}}
    html = str(form(schema))
    assert "1234567.89" in html
    assert ">48.8583736<" in html
