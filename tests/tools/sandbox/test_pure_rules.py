"""Templates, cursors and revisions: rules that must hold for anything put into them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.sandbox.errors import Problem
from tools.sandbox.rules.paging import (
    execute_pagination,
    execute_window,
    pack_cursor,
    unpack_cursor,
)
from tools.sandbox.rules.revisions import Edit, as_of, at_version, edited, history
from tools.sandbox.rules.templates import fill

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
PLAIN = JSON.filter(lambda value: "{{" not in repr(value))


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{{INPUT.n}}", 3),
        (" {{ INPUT.n }} ", 3),
        ("{{INPUT.o.k}}", [1]),
        ("{{INPUT.n}} and {{INPUT.s}}", "3 and x"),
        ("no {{INPUT.gone}} here", "no  here"),
        ("{{INPUT.gone}}", None),
        ({"a": "{{INPUT.gone}}", "b": ["{{INPUT.n}}", "{{INPUT.gone}}"]}, {"b": [3]}),
        ("{{OTHER.n}}", "{{OTHER.n}}"),
    ],
)
def test_it_fills_templates(template: Any, filled: Any) -> None:
    assert fill(template, {"n": 3, "s": "x", "o": {"k": [1]}}) == filled


@given(PLAIN, st.dictionaries(st.text(), JSON))
def test_it_leaves_alone_what_is_no_template(value: Any, inputs: dict[str, Any]) -> None:
    assert fill(value, inputs) == value


@given(JSON.filter(lambda value: value is not None))
def test_it_keeps_the_type_of_a_whole_template(value: Any) -> None:
    assert fill({"x": "{{INPUT.v}}"}, {"v": value}) == {"x": value}


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_it_unpacks_the_cursors_it_packed(values: dict[str, Any]) -> None:
    assert unpack_cursor(pack_cursor(values)) == values


@given(st.text())
def test_it_answers_any_other_cursor_with_400(text: str) -> None:
    try:
        assert isinstance(unpack_cursor(text), dict)
    except Problem as problem:
        assert problem.status == 400


@given(st.integers(0, 60), st.integers(1, 20), st.sampled_from(["cursor", "offset"]))
def test_it_pages_over_everything_once(total: int, size: int, method: str) -> None:
    seen: list[int] = []
    request: dict[str, Any] = {
        "method": method,
        "limit" if method == "cursor" else "page_size": size,
    }
    for number in range(1, total + 2):
        window = execute_window(request, None, "run", 10)
        page = list(range(total))[window.start : window.start + window.size]
        seen += page
        pagination = execute_pagination(
            window,
            returned=len(page),
            total=total,
            execution_id="e",
            print_of_run="run",
        )
        if not pagination["has_next"]:
            break
        request |= (
            {"cursor": pagination["cursor"]} if method == "cursor" else {"page_number": number + 1}
        )
    assert seen == list(range(total))


EDITS = st.lists(
    st.dictionaries(st.sampled_from(["label", "confidence", "payload"]), JSON, min_size=1),
    max_size=6,
)


@given(EDITS)
def test_it_rebuilds_every_version(edits: list[dict[str, Any]]) -> None:
    state: dict[str, Any] = {
        "annotation_id": "a",
        "label": "x",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "version": 1,
        "revisions": [],
    }
    stood = [state]
    for number, values in enumerate(edits, start=1):
        after = edited(
            state,
            values,
            Edit(actor_id="k", actor_type="api_key", at=f"2026-01-01T00:0{number}:00Z"),
        )
        assert (after is state) or after["version"] == state["version"] + 1
        if after is not state:
            stood.append(after)
        state = after
    for number, before in enumerate(stood, start=1):
        rebuilt = at_version(state, number)
        assert rebuilt is not None
        fields = ("label", "confidence", "payload", "version", "updated_at", "revisions")
        assert [rebuilt.get(key) for key in fields] == [before.get(key) for key in fields]
        assert as_of(state, _instant(before["updated_at"])) == rebuilt
    assert at_version(state, len(stood) + 1) is None
    assert [version["version"] for version in history(state)["versions"]] == list(
        range(1, len(stood) + 1),
    )


def _instant(text: str) -> Any:
    from tools.sandbox.rules.validation import parse_instant

    return parse_instant(text)


def test_it_tells_true_from_one() -> None:
    state = {"label": "x", "payload": {"a": 1}, "version": 1, "revisions": []}
    edit = Edit(actor_id="k", actor_type="api_key", at="2026-01-01T00:00:00Z")
    assert edited(state, {"payload": {"a": True}}, edit)["version"] == 2
    assert edited(state, {"payload": {"a": 1}}, edit) is state
