"""What two documents share, and what differs between them."""

from __future__ import annotations

import time

from reviewapp.retrievers.documents.document_diff import document_diff


def test_it_separates_what_differs_from_what_is_shared() -> None:
    first = {"document_id": "doc_1", "kind": "audio", "length": 3.0, "uploader": "ada", "score": 1}
    second = {"document_id": "doc_2", "kind": "audio", "length": 4.5, "place": "Ulm", "score": 2}
    diff = document_diff(first, second)
    assert diff.shared == [("kind", "audio")]
    differing = {one.name: (one.old, one.new) for one in diff.differing}
    assert differing == {"length": ("3", "4.5"), "uploader": ("ada", ""), "place": ("", "Ulm")}


def test_it_compares_texts_word_by_word() -> None:
    words = "the quick brown fox jumps over the lazy dog while the slow grey cat looks on"
    first, second = {"text": words}, {"text": words.replace("brown", "red")}
    (text,) = document_diff(first, second).differing
    changed = [(piece.sign, piece.text.strip()) for piece in text.pieces if piece.sign != "="]
    assert changed == [("-", "brown"), ("+", "red")]


def test_it_shortens_a_long_text_that_both_share() -> None:
    ((path, value),) = document_diff({"text": "word " * 500}, {"text": "word " * 500}).shared
    assert (path, len(value), value[-1]) == ("text", 200, "…")


def test_it_takes_bounded_time() -> None:
    first = {"text": " ! ".join(map(str, range(12_000)))}
    second = {"text": " ? ".join(map(str, range(12_000)))}
    started = time.process_time()
    document_diff(first, second)
    assert time.process_time() - started < 1
