"""What is kept of a document: stable, storable, bounded, and of no use to a thief."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reviewapp.retrievers.documents.snapshot import (
    CUT,
    MAX_SNAPSHOT_BYTES,
    MAX_SNAPSHOT_DEPTH,
    digest,
    snapshot,
)

SECRET = "S3cr3tS1gnature"
TEXTS = st.text(st.characters(codec=None), max_size=30)
SIGNED = st.sampled_from(
    [
        f"https://b.s3.amazonaws.com/a.png?X-Amz-Date=20261121&X-Amz-Signature={SECRET}",
        f"see http://h/media/a%20b.mp4?Expires=99&Signature={SECRET} and go on",
        f"HTTPS://h/a?sig={SECRET}#page",
        f"https://h/a?x=1;token={SECRET}",
        f"https://h/a?X%2DAmz%2DSignature={SECRET}",
        f"https://storage.googleapis.com/a?x-goog-signature={SECRET}&amp;a=b",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | SIGNED
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(TEXTS | st.just("presigned_url"), inner, max_size=5)
    ),
    max_leaves=25,
)
DOCUMENTS = st.dictionaries(TEXTS, JSON, max_size=6)


def reversed_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    return [reversed_keys(item) for item in value] if isinstance(value, list) else value


@given(DOCUMENTS)
def test_it_gives_the_same_digest_whatever_the_order_of_keys(document: dict[str, Any]) -> None:
    assert digest(snapshot(document)) == digest(snapshot(reversed_keys(document)))


def all_keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(all_keys, value.values()))
    return set().union(*map(all_keys, value)) if isinstance(value, list) else set()


@given(DOCUMENTS)
def test_it_leaves_no_signature_behind(document: dict[str, Any]) -> None:
    stored = snapshot(document)
    assert SECRET not in json.dumps(stored)
    assert "presigned_url" not in all_keys(stored)


@given(DOCUMENTS)
def test_it_keeps_a_snapshot_as_it_is(document: dict[str, Any]) -> None:
    once = snapshot(document)
    assert snapshot(once) == once


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(DOCUMENTS)
def test_it_comes_back_from_the_database_equal(document: dict[str, Any]) -> None:
    stored = snapshot(document)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb::text", [json.dumps(stored)])
        [(text,)] = cursor.fetchall()
    assert digest(json.loads(text)) == digest(stored)


def test_it_drops_vectors_and_keeps_words_about_them() -> None:
    document = {
        "embedding": [0.1],
        "vectors": {"v": [1]},
        "clip_embedding": [0.5, 0.5],
        "plain": [0.5] * 64,
        "embedding_model": "clip",
        "scores": [0.5, 0.25],
    }
    assert snapshot(document) == {"embedding_model": "clip", "plain": [], "scores": [0.5, 0.25]}


def test_it_keeps_the_query_of_an_ordinary_link() -> None:
    assert snapshot({"page": "https://h/a?b=1&page=2"}) == {"page": "https://h/a?b=1&page=2"}


def test_it_keeps_the_address_of_a_signed_link() -> None:
    assert snapshot({"thumbnail_url": "https://h/a.png?Expires=1&Signature=x"}) == {
        "thumbnail_url": "https://h/a.png"
    }


def test_it_replaces_what_the_database_cannot_hold() -> None:
    stored = snapshot({"a\x00": "b\ud800c", "n": float("nan"), "big": 10**1000})
    assert stored == {"a\ufffd": "b\ufffdc", "n": "nan", "big": "a number too large to keep"}


def test_it_bounds_a_long_text_and_says_so() -> None:
    stored = snapshot({"document_id": "doc_1", "text": "ä" * MAX_SNAPSHOT_BYTES, "title": "t"})
    assert len(json.dumps(stored, ensure_ascii=False).encode()) <= MAX_SNAPSHOT_BYTES + 1024
    assert (stored["document_id"], stored["title"]) == ("doc_1", "t")
    assert CUT in stored


def test_it_bounds_very_many_small_values() -> None:
    stored = snapshot({f"key{number}": ["x"] * 100 for number in range(2000)})
    assert len(json.dumps(stored, ensure_ascii=False).encode()) <= MAX_SNAPSHOT_BYTES + 1024
    assert CUT in stored


def test_it_bounds_depth() -> None:
    deep: dict[str, Any] = {}
    for _ in range(MAX_SNAPSHOT_DEPTH * 3):
        deep = {"in": deep}
    assert CUT in snapshot(deep)


def test_it_changes_the_digest_with_the_smallest_change() -> None:
    assert digest(snapshot({"a": 1})) != digest(snapshot({"a": 2}))
    assert len(digest({})) == 64
