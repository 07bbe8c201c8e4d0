"""A document of any layout, sorted into what a reviewer looks at."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.retrievers.documents.evidence import (
    MAX_EXCERPT_LENGTH,
    MAX_SEARCH_TEXT_LENGTH,
    MAX_TITLE_LENGTH,
    document_excerpt,
    document_search_text,
    document_title,
    evidence,
)
from reviewapp.retrievers.documents.highlight import mark_words, query_words
from reviewapp.retrievers.documents.snapshot import snapshot

FIELDS = {"title": "Scan 7", "text": "A red fox\njumps", "brand": "Acme", "size": {"width": 640}}
LAYOUTS = [
    {"document_id": "d", **FIELDS},
    {"document_id": "d", "payload": FIELDS},
    {
        "document_id": "d",
        "content": FIELDS["text"],
        "metadata": {k: v for k, v in FIELDS.items() if k != "text"},
    },
]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=400),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=9) | st.sampled_from(["title", "metadata", "document_blobs"]), inner
        )
    ),
    max_leaves=20,
)
KEYS = st.text(max_size=9) | st.sampled_from(
    ["payload", "metadata", "content", "_internal", "document_blobs", "text"]
)


@pytest.mark.parametrize("layout", LAYOUTS, ids=["root", "payload", "content and metadata"])
def test_it_reads_every_layout(layout: dict[str, Any]) -> None:
    shown_evidence = evidence(snapshot(layout))
    assert shown_evidence.title == "Scan 7"
    assert [("".join(piece.text for piece in text)) for _, text in shown_evidence.texts] == [
        "A red fox\njumps"
    ]
    assert {("brand", "Acme"), ("size.width", "640")} <= set(shown_evidence.fields)
    assert ("document_id", "d") in shown_evidence.source


def test_it_reads_features_as_fields() -> None:
    shown_evidence = evidence({"document_id": "d", "features": {"clip": {"score": 0.25}}})
    assert shown_evidence.fields == [("features.clip.score", "0.25")]


NUMBERS = [
    (1234567.89, "1234567.89"),
    (48.8583736, "48.8583736"),
    (0.1 + 0.2, "0.30000000000000004"),
    (1e-07, "1e-07"),
    (0.0000123456789, "1.23456789e-05"),
    (-273.15, "-273.15"),
    (1e23, "100000000000000000000000"),
    (9007199254740993, "9007199254740993"),
    (2.0, "2"),
]


@pytest.mark.parametrize(("number", "text"), NUMBERS)
def test_it_shows_and_finds_a_number_to_its_last_digit(number: float, text: str) -> None:
    document = {"a": number, "list": [number], "nested": {"b": number}}
    for stored in (document, snapshot(document)):
        shown = evidence(stored)
        assert shown.fields == [("a", text), ("list", text), ("nested.b", text)]
        assert document_excerpt(stored) == f"a: {text} · list: {text} · nested.b: {text}"
        assert document_search_text(stored) == f"{text} {text} {text}"


def test_it_reads_short_texts_in_a_list_as_fields_and_excerpts_the_prose() -> None:
    document = {"codes": [{"code": "I10", "description": "Hypertension"}], "text": "Seen today."}
    shown_evidence = evidence(snapshot(document))
    assert [name for name, _ in shown_evidence.texts] == ["text"]
    assert ("codes[0].description", "Hypertension") in shown_evidence.fields
    assert document_excerpt(snapshot(document)) == "Seen today."


def test_it_shows_a_field_once_when_two_layers_agree_and_twice_when_they_differ() -> None:
    shown_evidence = evidence(
        {"brand": "Acme", "year": 1, "metadata": {"brand": "Acme", "year": 2}}
    )
    assert shown_evidence.fields == [("brand", "Acme"), ("year", "1"), ("metadata.year", "2")]


def test_it_keeps_what_the_system_noted_apart() -> None:
    shown_evidence = evidence(
        {"a": "b", "_internal": {"modality": "image", "lineage": {"root": "o1"}}}
    )
    assert shown_evidence.fields == [("a", "b")]
    assert shown_evidence.source == [("modality", "image"), ("lineage.root", "o1")]


def test_it_marks_the_words_asked_for() -> None:
    shown_evidence = evidence({"text": "Fox, foxes and the FOX"}, query_words=("fox",))
    assert [piece for piece in shown_evidence.texts[0][1] if piece.is_marked] == [
        ("Fox", True),
        ("FOX", True),
    ]


def test_it_marks_words_of_scripts_without_spaces() -> None:
    assert mark_words("東京都の狐です", ["狐"]) == [
        ("東京都の", False),
        ("狐", True),
        ("です", False),
    ]


def test_it_takes_the_query_from_the_inputs_but_not_links_nor_common_words() -> None:
    assert query_words({"query": "The Red fox", "image": "https://h/red.png", "n": 3}) == (
        "red",
        "fox",
    )


def test_it_names_a_document_without_a_title_by_its_file_its_text_or_its_id() -> None:
    assert (
        document_title(
            {"document_blobs": [{"field": "f", "url": "s3://b/a%20b.png"}], "document_id": "d"}
        )
        == "a b.png"
    )
    assert document_title({"text": "Hello  there", "document_id": "d"}) == "Hello there"
    assert document_title({"document_id": "d"}) == "d"


def test_it_excerpts_the_text_or_else_the_fields() -> None:
    assert document_excerpt({"text": "one\n two"}) == "one two"
    assert document_excerpt({"brand": "Acme", "year": 1999}) == "brand: Acme · year: 1999"


def test_it_finds_a_document_by_its_values_and_texts() -> None:
    assert document_search_text({"text": "one two", "brand": "Acme"}) == "Acme one two"


@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_it_reads_any_document_within_its_bounds(document: dict[str, Any]) -> None:
    stored = snapshot(document)
    evidence(stored, query_words=("a",))
    assert len(document_title(stored)) <= MAX_TITLE_LENGTH
    assert len(document_excerpt(stored)) <= MAX_EXCERPT_LENGTH
    assert len(document_search_text(stored)) <= MAX_SEARCH_TEXT_LENGTH


@given(st.text(), st.lists(st.text(max_size=5), max_size=5))
def test_it_loses_no_text_in_marking(text: str, words: list[str]) -> None:
    assert "".join(piece.text for piece in mark_words(text, words)) == text
