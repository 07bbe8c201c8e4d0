"""Refs: read from text and written as text."""

from __future__ import annotations

import pytest

from reviewapp.ref import Ref, RefKind


@pytest.mark.parametrize("text", ["annotations/ann_1", "people/ann/of the lab", "tokens/7"])
def test_it_is_read_and_written(text: str) -> None:
    assert str(Ref.parse(text)) == text


def test_it_has_a_kind_and_an_id() -> None:
    assert Ref.parse("annotations/ann_1") == Ref(RefKind.ANNOTATION, "ann_1")
    assert str(Ref(RefKind.RETRIEVER, "ret_1")) == "retrievers/ret_1"


@pytest.mark.parametrize(
    "text", ["", "ann_1", "annotations/", "/ann_1", "people/a\0", "people/\ud800"]
)
def test_it_refuses_what_is_no_ref(text: str) -> None:
    assert Ref.parse_or_none(text) is None
    with pytest.raises(ValueError, match="is no ref"):
        Ref.parse(text)
