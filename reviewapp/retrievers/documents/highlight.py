"""Mark the words of a query in the text of a result. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_MAX_WORDS = 50
_MAX_INPUT_LENGTH = 10_000
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")
# Scripts without spaces between words: there, a word is marked wherever it occurs.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_COMMON = {
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "in", "is", "it", "of", "on",
    "or", "that", "the", "this", "to", "was", "were", "with",
}  # fmt: skip


class Piece(NamedTuple):
    """A stretch of text, and whether it is a word of the query."""

    text: str
    is_marked: bool


def query_words(inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the words of an execution's inputs that are worth marking, without URLs."""
    words: dict[str, None] = {}
    for value in inputs.values():
        if not isinstance(value, str) or "://" in value:
            continue
        for match in _WORD.findall(value[:_MAX_INPUT_LENGTH]):
            word = match.casefold()
            is_long_enough = len(word) > 1 or _UNSPACED.match(word)
            if is_long_enough and word not in _COMMON:
                words[word] = None
    return tuple(words)[:_MAX_WORDS]


def mark_words(text: str, words: Iterable[str]) -> list[Piece]:
    """Cut `text` into marked and plain pieces; joined, they are `text` again."""
    unique_words = {word for word in words if word.strip()}
    if not unique_words:
        if text:
            return [Piece(text, False)]
        return []

    # The longest first, so that a word is marked before its beginning is.
    alternatives = []
    for word in sorted(unique_words, key=len, reverse=True):
        alternative = re.escape(word)
        if not _UNSPACED.search(word):
            alternative = rf"(?<!\w){alternative}(?!\w)"
        alternatives.append(alternative)

    pattern = re.compile("|".join(alternatives), re.IGNORECASE)
    cut: list[Piece] = []
    end = 0
    for match in pattern.finditer(text):
        cut.append(Piece(text[end : match.start()], False))
        cut.append(Piece(match[0], True))
        end = match.end()
    cut.append(Piece(text[end:], False))
    return [piece for piece in cut if piece.text]
