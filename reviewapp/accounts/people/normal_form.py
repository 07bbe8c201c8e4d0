"""The one normal form of user names and mail addresses: what two people may not share. Pure.

A name or address is stored in NFKC, in the writer's own capitals; `lookup_key` is what is compared.
https://www.unicode.org/reports/tr36/#Case_Folded_Identifiers
"""

from __future__ import annotations

import unicodedata


def normalized(text: str) -> str:
    """Return the text in NFKC: full-width letters, ligatures and the like become the plain ones."""
    return unicodedata.normalize("NFKC", text)


def lookup_key(text: str) -> str:
    """Return what two spellings of the same name or address have in common: NFKC, case folded.

    Folding the case can leave the normal form, so the result is normalized again.
    """
    return normalized(normalized(text).casefold())
