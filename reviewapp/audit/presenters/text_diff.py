"""Difference of two texts in bounded time: by words, else by lines, else both whole. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.utils.translation import gettext as _

# Budget of one event: characters that are split into words, and steps of a comparison.
MAX_WORK = 24_000

_WORD = re.compile(r"\S+\s*|\s+")
# Words shown on each side of a stretch that is left out.
_CONTEXT_WORDS = 8
# Texts with a smaller share in common are shown whole.
_MIN_COMMON_SHARE = 0.3
# Splitting into lines costs far less than splitting into words.
_LINE_CHARACTERS_PER_STEP = 10


@dataclass(frozen=True, kw_only=True)
class DiffPiece:
    """A stretch of text: unchanged (`=`), removed (`-`), added (`+`), or left out (`.`)."""

    sign: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Match:
    """`length` equal tokens, from index `old` of one list and index `new` of the other."""

    old: int
    new: int
    length: int


def text_diff(old: str, new: str, *, max_work: int = MAX_WORK) -> list[DiffPiece]:
    """Return the pieces of an edit: `=` and `-` together are `old`, `=` and `+` together are `new`.

    Both texts come back whole where they have little in common, or where comparing them word by
    word and line by line takes more than `max_work` steps each.
    """
    head, tail = _common_ends(old, new)
    old_middle = old[head : len(old) - tail]
    new_middle = new[head : len(new) - tail]

    middle = _diff_by_words(old_middle, new_middle, max_work)
    if middle is None:
        middle = _diff_by_lines(old_middle, new_middle, max_work)
    if middle is None:
        middle = _replacement(old_middle, new_middle)

    first = DiffPiece(sign="=", text=old[:head])
    last = DiffPiece(sign="=", text=old[len(old) - tail :])
    pieces = _merge_pieces([first, *middle, last])

    common = sum(len(piece.text) for piece in pieces if piece.sign == "=")
    if 2 * common < _MIN_COMMON_SHARE * (len(old) + len(new)):
        return _merge_pieces(_replacement(old, new))
    return pieces


def shorten(pieces: Iterable[DiffPiece], *, max_work: int = MAX_WORK) -> Iterator[DiffPiece]:
    """Yield the pieces with the middle of long unchanged stretches left out."""
    for piece in pieces:
        if piece.sign == "=":
            yield from _shorten_piece(piece, max_work)
        else:
            yield piece


def _shorten_piece(piece: DiffPiece, max_work: int) -> Iterator[DiffPiece]:
    text = piece.text
    first = "".join(match[0] for match in islice(_WORD.finditer(text), _CONTEXT_WORDS))
    last = ""
    parts = text.rsplit(None, _CONTEXT_WORDS)
    if len(parts) > _CONTEXT_WORDS:
        last = text[len(parts[0]) :].lstrip()

    middle = text[len(first) : len(text) - len(last)]
    is_short = len(first) + len(last) >= len(text)
    if is_short or len(middle.split(None, _CONTEXT_WORDS)) <= _CONTEXT_WORDS:
        yield piece
        return

    yield DiffPiece(sign="=", text=first)
    if len(middle) > max_work:
        yield DiffPiece(sign=".", text=_("%(number)s characters") % {"number": f"{len(middle):,}"})
    else:
        yield DiffPiece(sign=".", text=_("%(number)s words") % {"number": len(middle.split())})
    yield DiffPiece(sign="=", text=last)


def equal_stretches(old: Sequence[int], new: Sequence[int], *, max_work: int) -> list[Match] | None:
    """Return the equal stretches of a shortest edit, None if it takes more than `max_work` steps.

    Myers, "An O(ND) Difference Algorithm and Its Variations", 1986. A step is one diagonal tried,
    one token compared, or one number of the trace copied.
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
            if work > max_work:
                return None
            if end >= len(old) and end - diagonal >= len(new):
                return _backtrack(trace, len(old), len(new))
    return []


def _comes_from_above(reach: dict[int, int], diagonal: int, edits: int) -> bool:
    """Return whether the last edit before this diagonal was an insertion."""
    if diagonal == -edits:
        return True
    return diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1]


def _start(reach: dict[int, int], diagonal: int, edits: int) -> int:
    """Return the index in the old list where a path with so many edits enters a diagonal."""
    if _comes_from_above(reach, diagonal, edits):
        return reach[diagonal + 1]
    return reach[diagonal - 1] + 1


def _backtrack(trace: Sequence[dict[int, int]], old: int, new: int) -> list[Match]:
    """Return the equal stretches of the path that ends at (`old`, `new`), first to last."""
    stretches = []
    for edits in range(len(trace) - 1, -1, -1):
        reach = trace[edits]
        diagonal = old - new
        start = _start(reach, diagonal, edits)
        if old > start:
            stretches.append(Match(old=start, new=start - diagonal, length=old - start))

        from_above = _comes_from_above(reach, diagonal, edits)
        previous = diagonal + 1 if from_above else diagonal - 1
        old = reach[previous]
        new = old - previous
    return stretches[::-1]


def _diff_by_words(old: str, new: str, max_work: int) -> list[DiffPiece] | None:
    if len(old) + len(new) > max_work:
        return None
    return _diff(_WORD.findall(old), _WORD.findall(new), max_work)


def _diff_by_lines(old: str, new: str, max_work: int) -> list[DiffPiece] | None:
    if len(old) + len(new) > _LINE_CHARACTERS_PER_STEP * max_work:
        return None
    if old.count("\n") + new.count("\n") > max_work:
        return None
    return _diff(_split_lines(old), _split_lines(new), max_work)


def _split_lines(text: str) -> list[str]:
    """Split at line feeds only, and keep them."""
    *lines, last = text.split("\n")
    ended = [f"{line}\n" for line in lines]
    if last:
        return [*ended, last]
    return ended


def _diff(old: Sequence[str], new: Sequence[str], max_work: int) -> list[DiffPiece] | None:
    # Comparing small numbers is quicker than comparing texts.
    numbers: dict[str, int] = {}
    old_numbers = [numbers.setdefault(token, len(numbers)) for token in old]
    new_numbers = [numbers.setdefault(token, len(numbers)) for token in new]
    stretches = equal_stretches(old_numbers, new_numbers, max_work=max_work)
    if stretches is None:
        return None

    pieces = []
    old_end = 0
    new_end = 0
    end_of_text = Match(old=len(old), new=len(new), length=0)
    for stretch in [*stretches, end_of_text]:
        removed = "".join(old[old_end : stretch.old])
        added = "".join(new[new_end : stretch.new])
        pieces += _replacement(removed, added)

        old_end = stretch.old + stretch.length
        new_end = stretch.new + stretch.length
        pieces.append(DiffPiece(sign="=", text="".join(old[stretch.old : old_end])))
    return pieces


def _replacement(old: str, new: str) -> list[DiffPiece]:
    return [DiffPiece(sign="-", text=old), DiffPiece(sign="+", text=new)]


def _merge_pieces(pieces: Iterable[DiffPiece]) -> list[DiffPiece]:
    """Drop empty pieces and merge neighbours of one sign."""
    merged: list[DiffPiece] = []
    for piece in pieces:
        if not piece.text:
            continue
        if merged and merged[-1].sign == piece.sign:
            merged[-1] = DiffPiece(sign=piece.sign, text=merged[-1].text + piece.text)
        else:
            merged.append(piece)
    return merged


def _common_ends(old: str, new: str) -> tuple[int, int]:
    """Return how many characters both texts begin and end with, in whole words."""
    if old == new:
        return len(old), 0

    common_start = old[: _common_length(old, new)].rstrip()
    head = 0
    if common_start:
        partial_word = common_start.rsplit(None, 1)[-1]
        head = len(common_start) - len(partial_word)

    tail = _common_length(old[head:][::-1], new[head:][::-1])
    parts = old[len(old) - tail :].split(None, 1) if tail else []
    tail = len(parts[1]) if len(parts) == 2 else 0
    return head, tail


def _common_length(old: str, new: str) -> int:
    """Return how many characters both texts begin with."""
    low = 0
    high = min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
