"""The difference of two texts in bounded time: by words, else by lines, else both texts whole. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

# What one row of the history may cost: characters that are split into words, and steps of a comparison.
MOST_WORK = 24_000

_WORD = re.compile(r"\S+\s*|\s+")
_CONTEXT = 8
_LEAST_IN_COMMON = 0.3
# Finding lines costs far less than finding words.
_LINE_CHARACTERS = 10


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A stretch of text that stayed (`=`), went (`-`), came (`+`), or stayed and is left out (`.`)."""

    sign: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Match:
    """A stretch of `length` equal tokens, which begins at `old` in one list and at `new` in the other."""

    old: int
    new: int
    length: int


def text_diff(old: str, new: str, *, most_work: int = MOST_WORK) -> list[Piece]:
    """Return what stayed, went and came: `=` and `-` together are `old`, `=` and `+` together are `new`.

    Both texts come back whole where they have little in common, or where comparing them word by word
    and line by line takes more than `most_work` steps each.
    """
    head, tail = _common_ends(old, new)
    old_middle = old[head : len(old) - tail]
    new_middle = new[head : len(new) - tail]

    middle = _diff_by_words(old_middle, new_middle, most_work)
    if middle is None:
        middle = _diff_by_lines(old_middle, new_middle, most_work)
    if middle is None:
        middle = _whole(old_middle, new_middle)

    pieces = _joined([Piece(sign="=", text=old[:head]), *middle, Piece(sign="=", text=old[len(old) - tail :])])
    in_common = sum(len(piece.text) for piece in pieces if piece.sign == "=")
    if 2 * in_common < _LEAST_IN_COMMON * (len(old) + len(new)):
        return _joined(_whole(old, new))
    return pieces


def shortened(pieces: Iterable[Piece], *, most_work: int = MOST_WORK) -> Iterator[Piece]:
    """Yield the pieces with the middle of long unchanged stretches left out."""
    for piece in pieces:
        if piece.sign == "=":
            yield from _shortened(piece, most_work)
        else:
            yield piece


def _shortened(piece: Piece, most_work: int) -> Iterator[Piece]:
    text = piece.text
    first = "".join(match[0] for match in islice(_WORD.finditer(text), _CONTEXT))
    ends = text.rsplit(None, _CONTEXT)
    last = text[len(ends[0]) :].lstrip() if len(ends) > _CONTEXT else ""
    left_out = text[len(first) : len(text) - len(last)]
    if len(first) + len(last) >= len(text) or len(left_out.split(None, _CONTEXT)) <= _CONTEXT:
        yield piece
        return

    yield Piece(sign="=", text=first)
    if len(left_out) > most_work:
        yield Piece(sign=".", text=f"{len(left_out):,} characters")
    else:
        yield Piece(sign=".", text=f"{len(left_out.split())} words")
    yield Piece(sign="=", text=last)


def matches(old: Sequence[int], new: Sequence[int], *, most_work: int) -> list[Match] | None:
    """Return the equal stretches of a shortest edit, or None when it takes more than `most_work` steps to find.

    Myers, "An O(ND) Difference Algorithm and Its Variations", 1986. A step is one diagonal tried, one
    token compared, or one number of the trace copied.
    """
    reach = {1: 0}
    trace: list[dict[int, int]] = []
    work = 0
    for edits in range(len(old) + len(new) + 1):
        trace.append(dict(reach))
        work += len(reach)
        for diagonal in range(-edits, edits + 1, 2):
            start = _start(reach, diagonal, edits)
            end = start
            while end < len(old) and end - diagonal < len(new) and old[end] == new[end - diagonal]:
                end += 1
            reach[diagonal] = end
            work += 1 + end - start
            if work > most_work:
                return None
            if end >= len(old) and end - diagonal >= len(new):
                return _traced(trace, len(old), len(new))
    return []


def _start(reach: dict[int, int], diagonal: int, edits: int) -> int:
    """Return where in the old list a path with so many edits enters a diagonal."""
    from_above = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
    return reach[diagonal + 1] if from_above else reach[diagonal - 1] + 1


def _traced(trace: Sequence[dict[int, int]], old: int, new: int) -> list[Match]:
    """Return the equal stretches of the path that ends at (`old`, `new`), first to last."""
    found = []
    for edits in range(len(trace) - 1, -1, -1):
        reach = trace[edits]
        diagonal = old - new
        start = _start(reach, diagonal, edits)
        if old > start:
            found.append(Match(old=start, new=start - diagonal, length=old - start))
        from_above = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
        previous = diagonal + 1 if from_above else diagonal - 1
        old = reach[previous]
        new = old - previous
    return found[::-1]


def _diff_by_words(old: str, new: str, most_work: int) -> list[Piece] | None:
    if len(old) + len(new) > most_work:
        return None
    return _diff(_WORD.findall(old), _WORD.findall(new), most_work)


def _diff_by_lines(old: str, new: str, most_work: int) -> list[Piece] | None:
    if len(old) + len(new) > _LINE_CHARACTERS * most_work or old.count("\n") + new.count("\n") > most_work:
        return None
    return _diff(_lines(old), _lines(new), most_work)


def _lines(text: str) -> list[str]:
    *lines, last = text.split("\n")
    ended = [f"{line}\n" for line in lines]
    return [*ended, last] if last else ended


def _diff(old: Sequence[str], new: Sequence[str], most_work: int) -> list[Piece] | None:
    numbers: dict[str, int] = {}
    old_numbers = [numbers.setdefault(token, len(numbers)) for token in old]
    new_numbers = [numbers.setdefault(token, len(numbers)) for token in new]
    stretches = matches(old_numbers, new_numbers, most_work=most_work)
    if stretches is None:
        return None

    pieces = []
    old_at = new_at = 0
    for stretch in [*stretches, Match(old=len(old), new=len(new), length=0)]:
        pieces += _whole("".join(old[old_at : stretch.old]), "".join(new[new_at : stretch.new]))
        old_at, new_at = stretch.old + stretch.length, stretch.new + stretch.length
        pieces.append(Piece(sign="=", text="".join(old[stretch.old : old_at])))
    return pieces


def _whole(old: str, new: str) -> list[Piece]:
    return [Piece(sign="-", text=old), Piece(sign="+", text=new)]


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Return the pieces without empty ones, neighbours of one sign put together."""
    joined: list[Piece] = []
    for piece in pieces:
        if not piece.text:
            continue
        if joined and joined[-1].sign == piece.sign:
            joined[-1] = Piece(sign=piece.sign, text=joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return joined


def _common_ends(old: str, new: str) -> tuple[int, int]:
    """Return how many characters both texts begin and end with, in whole words."""
    if old == new:
        return len(old), 0
    head = _common_head(old, new)
    whole = old[:head].rstrip()
    head = len(whole) - len(whole.rsplit(None, 1)[-1]) if whole else 0

    tail = _common_tail(old[head:], new[head:])
    parts = old[len(old) - tail :].split(None, 1) if tail else []
    return head, len(parts[1]) if len(parts) == 2 else 0


def _common_head(old: str, new: str) -> int:
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_tail(old: str, new: str) -> int:
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[len(old) - middle : len(old) - low] == new[len(new) - middle : len(new) - low]:
            low = middle
        else:
            high = middle - 1
    return low
