"""Make untrusted text safe for a log line or a terminal."""

from __future__ import annotations

import unicodedata

# Control characters, invisible formatting (it may change the direction of a line), lone surrogates,
# and line breaks.
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def printable(text: str) -> str:
    """Return `text` on one line, its unprintable characters escaped like `\\x1b` or `\\u2028`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_escape, text))


def _escape(character: str) -> str:
    if unicodedata.category(character) in _UNPRINTABLE:
        return character.encode("unicode_escape").decode()
    return character
