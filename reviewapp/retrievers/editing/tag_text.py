"""Several tags in one text field: separated by commas, in quotes where one holds a comma. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from reviewapp.naming import same_key, tidy

# A tag in quotes, in which two quotes stand for one, or text up to a comma or a line break.
_PART = re.compile(r'\s*("(?:[^"]|"")*")\s*(?=[,\n\r]|\Z)|([^,\n\r]*)')
_NEEDS_QUOTES = re.compile(r'[,\n\r]|\A\s*"')


def join_tags(tags: Iterable[str]) -> str:
    """Return the text of a field with these tags; `split_tags` reads them out of it again."""
    return ", ".join(map(quote_tag, tags))


def quote_tag(tag: str) -> str:
    """Return a tag as it is written among others: in quotes if it could be taken for several."""
    if not _NEEDS_QUOTES.search(tag):
        return tag
    doubled = tag.replace('"', '""')
    return f'"{doubled}"'


def split_tags(texts: Iterable[str], known: Collection[str] = ()) -> tuple[str, ...]:
    """Return the tags in the texts of fields, each once.

    What people would take for one of the `known` tags is that tag, also if it holds commas.
    """
    by_key = {same_key(tag): tag for tag in known if _NEEDS_QUOTES.search(tag)}
    tags: dict[str, None] = {}
    for text in texts:
        for tag in _split(text, by_key):
            tags[tag] = None
    return tuple(tags)


def _split(text: str, by_key: dict[str, str]) -> Iterable[str]:
    starts = [0]
    place = 0
    parts = []
    while place <= len(text):
        match = _PART.match(text, place)
        assert match is not None
        parts.append(match)
        place = match.end() + 1
        starts.append(place)

    index = 0
    while index < len(parts):
        # The longest known tag first.
        for last in range(len(parts), index, -1):
            whole = text[starts[index] : parts[last - 1].end()]
            known = by_key.get(same_key(whole))
            if known is not None:
                yield known
                index = last
                break
        else:
            part = parts[index]
            index += 1
            if part[1]:
                yield part[1][1:-1].replace('""', '"')
            elif tidy(part[2]):
                yield tidy(part[2])
