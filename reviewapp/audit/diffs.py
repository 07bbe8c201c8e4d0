"""What changed, made readable: `{field: [old, new]}` in, small differences out. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from enum import Enum
from itertools import chain
from typing import Any

from reviewapp.audit import spoken

_LONG = 60
_MOST = 40
_CONTEXT = 8
_ALIKE = 0.3
_ABSENT = object()
_WORD = re.compile(r"\S+\s*|\s+")


class Kind(Enum):
    """How a difference is best shown."""

    VALUE = "value"
    WORDS = "words"
    JSON = "json"
    TIME = "time"
    TAGS = "tags"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A stretch of text that stayed (`=`), went (`-`), came (`+`), or stayed and is left out (`.`)."""

    sign: str
    text: str


@dataclass(frozen=True, kw_only=True)
class FieldDiff:
    """One field (a dotted path inside JSON) before and after, as text; "" is nothing.

    Of tags, `gone` and `come` are the difference.
    """

    name: str
    old: str
    new: str
    kind: Kind = Kind.VALUE
    gone: tuple[str, ...] = ()
    come: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Return what the field is called in words, "" when its own name is the best there is."""
        return spoken.title(self.name)

    @property
    def old_at(self) -> datetime | None:
        """Return the instant before, None when there was none."""
        return spoken.instant(self.name, self.old)

    @property
    def new_at(self) -> datetime | None:
        """Return the instant after, None when there is none."""
        return spoken.instant(self.name, self.new)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the new text with what went and came marked, long unchanged stretches left out."""
        return tuple(chain.from_iterable(map(_briefly, word_diff(self.old, self.new))))


def field_diffs(changes: Mapping[str, Any], *, hidden: Collection[str] = ()) -> tuple[FieldDiff, ...]:
    """Return the differences of an event's `changes`, JSON objects taken apart into their leaves, at most 40."""
    leaves = chain.from_iterable(
        _leaves(name, *_sides(pair)) for name, pair in sorted(changes.items()) if name not in hidden
    )
    found = [_field_diff(*leaf) for leaf in leaves]
    if len(found) > _MOST:
        rest = FieldDiff(name="…", old="", new=f"and {len(found) - _MOST + 1} more fields")
        return (*found[: _MOST - 1], rest)
    return tuple(found)


def word_diff(old: str, new: str) -> list[Piece]:
    """Return what went and came, word by word; what stayed and went is `old`, what stayed and came is `new`."""
    was, now = _WORD.findall(old), _WORD.findall(new)
    matcher = SequenceMatcher(None, was, now)
    if matcher.real_quick_ratio() < _ALIKE or matcher.quick_ratio() < _ALIKE or matcher.ratio() < _ALIKE:
        return [Piece(sign=sign, text=text) for sign, text in (("-", old), ("+", new)) if text]
    pieces = []
    for tag, from_was, to_was, from_now, to_now in matcher.get_opcodes():
        went, came = "".join(was[from_was:to_was]), "".join(now[from_now:to_now])
        pairs = [("=", went)] if tag == "equal" else [("-", went), ("+", came)]
        pieces += [Piece(sign=sign, text=text) for sign, text in pairs if text]
    return pieces


def _briefly(piece: Piece) -> Iterator[Piece]:
    words = _WORD.findall(piece.text)
    if piece.sign != "=" or len(words) <= 3 * _CONTEXT:
        yield piece
        return
    yield Piece(sign="=", text="".join(words[:_CONTEXT]))
    yield Piece(sign=".", text=f"{len(words) - 2 * _CONTEXT} words")
    yield Piece(sign="=", text="".join(words[-_CONTEXT:]))


def _sides(pair: Any) -> tuple[Any, Any]:
    # Only the triggers write pairs, but whoever may insert by hand may insert anything.
    return (pair[0], pair[1]) if isinstance(pair, list) and len(pair) == 2 else (None, pair)


def _leaves(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield (path, old, new) for each leaf that differs; where only one side is an object, the other is nothing."""
    if _named(old) and _named(new):
        yield from _leaves_by_name(path, old or [], new or [])
        return
    if not _opens(old, new):
        if _json(old) != _json(new):
            yield path, old, new
        return
    was, now = (side if isinstance(side, dict) else {} for side in (old, new))
    for key in sorted({*was, *now}):
        yield from _leaves(f"{path}.{key}", was.get(key, _ABSENT), now.get(key, _ABSENT))


def _named(side: Any) -> bool:
    """Return whether this is nothing, or a list of objects that each have a `value` of their own, such as labels."""
    if side is None or side is _ABSENT or not isinstance(side, list):
        return side is None
    names = [item.get("value") if isinstance(item, dict) else None for item in side]
    return bool(names) and all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def _leaves_by_name(path: str, old: list[Any], new: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield what came, went and changed among named objects, and their order when only that is different."""
    was, now = ({item["value"]: _besides_its_name(item) for item in side} for side in (old, new))
    for name in dict.fromkeys([*was, *now]):
        yield from _leaves(f"{path}.{name}", was.get(name, _ABSENT), now.get(name, _ABSENT))
    kept_was, kept_now = [name for name in was if name in now], [name for name in now if name in was]
    if kept_was != kept_now:
        yield f"{path} (order)", list(was), list(now)


def _besides_its_name(item: dict[str, Any]) -> dict[str, Any]:
    besides = {key: said for key, said in item.items() if key != "value" and said not in ("", None)}
    return besides or {"value": item["value"]}


def _opens(old: Any, new: Any) -> bool:
    sides = [side for side in (old, new) if side is not None and side is not _ABSENT]
    return bool(sides) and all(isinstance(side, dict) for side in sides) and any(sides)


def _field_diff(name: str, old: Any, new: Any) -> FieldDiff:
    was, now = (spoken.word(name, side) or _text(side) for side in (old, new))
    if was == now:
        was, now = _json(old), _json(new)
    gone, come = _retagged(old, new) if name == "tags" else ((), ())
    kind = Kind.TAGS if gone or come else _kind(name, was, now, nested=any(map(_nested, (old, new))))
    return FieldDiff(name=name, old=was, new=now, kind=kind, gone=gone, come=come)


def _kind(name: str, was: str, now: str, *, nested: bool) -> Kind:
    if nested:
        return Kind.JSON
    if (was or now) and all(spoken.instant(name, side) for side in (was, now) if side):
        return Kind.TIME
    return Kind.WORDS if max(len(was), len(now)) > _LONG else Kind.VALUE


def _retagged(old: Any, new: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which tags went and which came; none of either where a side is no list of tags."""
    was, now = (side or [] for side in (old, new))
    if not all(isinstance(side, list) and all(isinstance(tag, str) for tag in side) for side in (was, now)):
        return (), ()
    return tuple(tag for tag in was if tag not in now), tuple(tag for tag in now if tag not in was)


def _nested(side: Any) -> bool:
    return isinstance(side, dict) or _holds_objects(side)


def _text(value: Any) -> str:
    if value is _ABSENT or value is None or value in ({}, []):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list) and not _holds_objects(value):
        return ", ".join(map(_text, value))
    return _json(value)


def _json(value: Any) -> str:
    return "" if value is _ABSENT else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _holds_objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict | list) for item in value)
