"""Text of others, made safe for a log line or a terminal."""

from __future__ import annotations

import unicodedata

# Control characters, invisible formatting (which may turn the direction of a line), half of a pair,
# and line breaks.
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def printable(text: str) -> str:
    """Return `text` on one line: what would break it or drive a terminal becomes visible, like
    `\\x1b` or `\\u2028`.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if unicodedata.category(character) in _UNPRINTABLE:
        return character.encode("unicode_escape").decode()
    return character
