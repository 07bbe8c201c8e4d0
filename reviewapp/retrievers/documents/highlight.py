"""Mark the words somebody asked for in the text that was found. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_MOST_WORDS = 50
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")
# Scripts that put no space between words: there, a word is marked wherever it stands.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_COMMON = {
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "in", "is", "it", "of", "on", "or", "that", "the",
    "this", "to", "was", "were", "with",
}  # fmt: skip


class Piece(NamedTuple):
    """A stretch of text, and whether it is one of the words asked for."""

    text: str
    is_marked: bool


def query_words(inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the words worth marking in what an execution was asked with; addresses and common words are not."""
    texts = [value for value in inputs.values() if isinstance(value, str) and "://" not in value]
    words = dict.fromkeys(word.casefold() for text in texts for word in _WORD.findall(text[:10_000]))
    return tuple(word for word in words if word not in _COMMON and (len(word) > 1 or _UNSPACED.match(word)))[
        :_MOST_WORDS
    ]


def pieces(text: str, words: Iterable[str]) -> list[Piece]:
    """Cut `text` into marked and plain pieces; joined, they are `text` again."""
    wanted = sorted({word for word in words if word.strip()}, key=len, reverse=True)
    if not wanted:
        return [Piece(text, False)] if text else []
    pattern = re.compile("|".join(map(_pattern, wanted)), re.IGNORECASE)
    found, at = [], 0
    for match in pattern.finditer(text):
        found += [Piece(text[at : match.start()], False), Piece(match[0], True)]
        at = match.end()
    return [piece for piece in (*found, Piece(text[at:], False)) if piece.text]


def _pattern(word: str) -> str:
    return re.escape(word) if _UNSPACED.search(word) else rf"(?<!\w){re.escape(word)}(?!\w)"
