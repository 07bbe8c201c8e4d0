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

    escaped = []
    for character in text:
        if unicodedata.category(character) in _UNPRINTABLE:
            escaped.append(character.encode("unicode_escape").decode())
        else:
            escaped.append(character)
    return "".join(escaped)
