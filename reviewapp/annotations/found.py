"""What a search finds, before anything is put in order: how much it is decides how the database should go about it.

Nothing but the words tells how rare they are, and a plan that is right for a rare word is wrong for a frequent one. The
planner knows the frequent words; of the others the index of words is asked for the first thousand rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Value

from reviewapp.annotations import compiled
from reviewapp.annotations.filters import QueueFilter, Show
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queries import matches
from reviewapp.annotations.queue import narrowed
from reviewapp.asked import QUESTION_BYTES, Question
from reviewapp.bounded import MIB, bounded_cache

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

# A search opens every row that it counts.
COUNTED = 100
# So many rows are fetched and sorted; of more, some are soon met in the order of the list.
_FEW = 1_000
# Of a frequent word, so many rows are opened to count with, and so many of the list's to find those it shows.
_SAMPLE, _OPENED = 400, 1_000
# What else is looked through for it, a stretch after the other: as many rows of the list's index, then all the rest.
_STRETCHES = (5_000, 20_000, 80_000, 320_000)
# Opening a row costs as much as reading so many off an index.
_OPENING = 100
_A_PAGE = 31

_HOW_MANY = """
EXPLAIN (FORMAT JSON) SELECT FROM annotations_annotation WHERE search @@ websearch_to_tsquery('simple', %s)
UNION ALL SELECT FROM annotations_annotation
"""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """How far along a list to look at once (None: to its end), and whether by `opening` each row on the way."""

    span: int | None
    opening: bool


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search met first under the filters, whichever chip: `keys`, and whether there is `more`.

    Words are `frequent` when the list is soon full of them: then `opened` rows of it are looked at first.
    """

    keys: list[int]
    more: bool
    frequent: bool
    opened: int = _OPENED
    spans: tuple[int, ...] = _STRETCHES

    @property
    def counted(self) -> str:
        """The keys of what is counted, as `keyed` wants them."""
        return ",".join(map(str, self.keys[:COUNTED]))

    @property
    def known(self) -> str:
        """All keys, written in the same way."""
        return ",".join(map(str, self.keys))

    @property
    def at_least(self) -> bool:
        """Whether there is more than what is counted."""
        return self.more or len(self.keys) > COUNTED

    def stretches(self) -> Iterator[Stretch]:
        """Yield the ways to look for the first of it in the order of a list, to be gone until there is enough."""
        if self.frequent:
            yield Stretch(span=self.opened, opening=True)
        for span in self.spans:
            yield Stretch(span=span, opening=False)
        yield Stretch(span=None, opening=False)


def look_for(chosen: QueueFilter, person: User) -> Found:
    """Look for the words of `chosen` among what its filters leave. Two queries."""
    frequent = _is_frequent(chosen.q)
    kind = replace(compiled.kind(chosen), show=Show.ALL, sort="")
    rows = _first(kind, frequent).ask(**compiled.meant(chosen, person))
    if frequent:
        return Found(keys=[key for key, matches in rows if matches], more=len(rows) == _SAMPLE, frequent=True)
    return Found(keys=[key for key, _ in rows[:_FEW]], more=len(rows) > _FEW, frequent=False)


@bounded_cache(most_bytes=8 * MIB, size=lambda _: QUESTION_BYTES)
def _first(kind: QueueFilter, frequent: bool) -> Question[Any]:
    rows = narrowed(Annotation.objects.all(), kind)
    if frequent:
        return Question(rows.values_list("pk", matches(compiled.WORDS))[:_SAMPLE], compiled.NAMES)
    met = rows.searching(compiled.WORDS).values_list("pk", Value(True))
    return Question(met[: _FEW + 1], compiled.NAMES)


def _is_frequent(words: str) -> bool:
    """Return whether rows in the order of a list are opened sooner than all that match are put into that order.

    Only the planner's guess, and wrong where it has no statistics yet: what is found is the same either way.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOW_MANY, [words])
        ((found,),) = cursor.fetchall()
    plan = json.loads(found) if isinstance(found, str) else found
    matching, every = (part["Plan Rows"] for part in plan[0]["Plan"]["Plans"])
    return bool(matching * matching > _A_PAGE * every * _OPENING)
