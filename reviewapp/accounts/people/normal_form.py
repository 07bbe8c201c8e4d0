"""Normalize usernames and mail addresses, which must be unique. Pure.

A name or address is stored in NFKC with its capitals; `lookup_key` is what is compared.
https://www.unicode.org/reports/tr36/#Case_Folded_Identifiers
"""

from __future__ import annotations

import unicodedata


def normalized(text: str) -> str:
    """Return the text in NFKC: full-width letters, ligatures and the like become plain letters."""
    return unicodedata.normalize("NFKC", text)


def lookup_key(text: str) -> str:
    """Return the same key for every spelling of a name or address: NFKC, case-folded.

    The case-folded text may not be in NFKC, so it is normalized again.
    """
    return normalized(normalized(text).casefold())
