"""What a search asks of the index of words, from what a person typed."""

from __future__ import annotations

import re

from reviewapp.bounded_cache import MIB, bounded_cache
from reviewapp.postgres.statement import sql_file

# A minus sign, then a phrase in quotes or a word.
_TERM = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
# A single character of a script without spaces, which stands for all pairs that it begins.
_SINGLE = re.compile("'([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u9fff\uac00-\ud7af])'")

_TERMS = sql_file(__file__, "search_terms.sql", str)


@bounded_cache(most_bytes=MIB)
def search_query(words: str) -> str:
    """Return `words` as PostgreSQL spells a tsquery; "" if they ask for nothing. One query.

    All terms must match: words, and "phrases". A minus excludes a term, `or` separates
    alternatives. A word such as `report-final.pdf` is the phrase of its parts.
    """
    matches = list(_TERM.finditer(words))
    texts = [match[2] if match[2] is not None else match[3] for match in matches]
    queries = _TERMS.rows(terms=texts)

    alternatives: list[list[str]] = [[]]
    for match, query in zip(matches, queries, strict=True):
        if (match[1], match[3]) in {("", "or"), ("", "OR"), ("", "Or")}:
            alternatives.append([])
        elif query:
            term = _SINGLE.sub(r"'\1':*", query)
            alternatives[-1].append(f"!({term})" if match[1] else f"({term})")
    return " | ".join(" & ".join(terms) for terms in alternatives if terms)
