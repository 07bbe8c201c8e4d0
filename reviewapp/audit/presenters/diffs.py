"""What changed, made readable: `{field: [old, new]}` in, small differences out. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from itertools import islice
from typing import Any

from reviewapp.audit.presenters import field_labels
from reviewapp.audit.presenters.text_diff import MOST_WORK, Piece, shortened, text_diff
from reviewapp.json_values import same

_LONG = 60
_MOST = 40
# What is looked at of one row, one by one: members of objects and lists, and levels.
_MOST_MEMBERS = 2_000
_MOST_LEVELS = 20
# Longer lists are shown as JSON.
_MOST_ITEMS = 1_000
_LONGEST_NAME = 100
# What one row may show: characters of each side. The whole values are in the API's list of events.
_MOST_SHOWN = 100_000
_LEAST_SHOWN = 500
# Longer lists of tags are shown as one text.
_LONGEST_TAGS = 20_000
_ABSENT = object()


class Kind(Enum):
    """How a difference is best shown."""

    VALUE = "value"
    WORDS = "words"
    JSON = "json"
    TIME = "time"
    TAGS = "tags"


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
    most_work: int = field(default=MOST_WORK, compare=False)
    most_shown: int = field(default=_MOST_SHOWN, compare=False)

    @property
    def title(self) -> str:
        """Return what the field is called in words, "" when its own name is the best there is."""
        return field_labels.title(self.name)

    @property
    def old_at(self) -> datetime | None:
        """Return the instant before, None when there was none."""
        return field_labels.instant(self.name, self.old)

    @property
    def new_at(self) -> datetime | None:
        """Return the instant after, None when there is none."""
        return field_labels.instant(self.name, self.new)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the new text with what went and came marked, long unchanged stretches left out."""
        pieces = text_diff(self.old, self.new, most_work=self.most_work)
        short = shortened(pieces, most_work=self.most_work)
        return tuple(replace(piece, text=_beginning(piece.text, self.most_shown)) for piece in short)

    @property
    def old_shown(self) -> str:
        """Return the text before, or its beginning where it is too long for a page."""
        return _beginning(self.old, self.most_shown)

    @property
    def new_shown(self) -> str:
        """Return the text after, or its beginning where it is too long for a page."""
        return _beginning(self.new, self.most_shown)


def _beginning(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    return f"{text[:length]}… and {len(text) - length:,} more characters"


def field_diffs(changes: Mapping[str, Any], *, hidden: Collection[str] = ()) -> tuple[FieldDiff, ...]:
    """Return the differences of an event's `changes`, JSON objects taken apart into their leaves, at most 40.

    The work is bounded: values are taken apart while they have at most 2,000 members together, what is
    larger is one leaf, and all texts share what one row may cost (`text_diff.MOST_WORK`).
    """
    leaves = _all_leaves({name: pair for name, pair in sorted(changes.items()) if name not in hidden})
    first = list(islice(leaves, _MOST))
    more = sum(1 for _ in leaves)

    if more:
        rest = FieldDiff(name="…", old="", new=f"and {more + 1} more fields")
        return (*_field_diffs(first[:-1]), rest)
    return tuple(_field_diffs(first))


def _field_diffs(leaves: Collection[_Leaf]) -> list[FieldDiff]:
    diffs = [_field_diff(".".join(leaf.path), leaf.old, leaf.new) for leaf in leaves]
    texts = sum(1 for diff in diffs if diff.kind == Kind.WORDS)
    most_work = MOST_WORK // max(texts, 1)
    most_shown = max(_MOST_SHOWN // max(len(diffs), 1), _LEAST_SHOWN)
    return [replace(diff, most_work=most_work, most_shown=most_shown) for diff in diffs]


@dataclass(frozen=True, kw_only=True)
class _Leaf:
    """A value that is not taken apart, before and after."""

    path: tuple[str, ...]
    old: Any
    new: Any


class _Members:
    """How many members of objects may still be looked at."""

    def __init__(self) -> None:
        self.left = _MOST_MEMBERS

    def take(self, count: int) -> bool:
        """Return whether so many more may be looked at, and count them if so."""
        if count > self.left:
            return False
        self.left -= count
        return True


def _all_leaves(changes: Mapping[str, Any]) -> Iterator[_Leaf]:
    members = _Members()
    for name, pair in changes.items():
        old, new = _sides(pair)
        yield from _leaves((_short_name(name),), old, new, members)


def _sides(pair: Any) -> tuple[Any, Any]:
    # Only the triggers write pairs, but whoever may insert by hand may insert anything.
    return (pair[0], pair[1]) if isinstance(pair, list) and len(pair) == 2 else (None, pair)


def _leaves(path: tuple[str, ...], old: Any, new: Any, members: _Members) -> Iterator[_Leaf]:
    """Yield each leaf that differs; where only one side is an object, the other is nothing."""
    if len(path) > _MOST_LEVELS:
        if _differ(old, new, members):
            yield _Leaf(path=path, old=old, new=new)
    elif _named(old) and _named(new) and members.take(len(old or []) + len(new or [])):
        yield from _leaves_by_name(path, old or [], new or [], members)
    elif _opens(old, new) and members.take(_size(old) + _size(new)):
        was, now = (side if isinstance(side, dict) else {} for side in (old, new))
        for key in sorted({*was, *now}):
            inner = (*path, _short_name(key))
            yield from _leaves(inner, was.get(key, _ABSENT), now.get(key, _ABSENT), members)
    elif _differ(old, new, members):
        yield _Leaf(path=path, old=old, new=new)


def _size(side: Any) -> int:
    return len(side) if isinstance(side, dict) else 0


def _short_name(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def _differ(old: Any, new: Any, members: _Members) -> bool:
    if old is _ABSENT or new is _ABSENT:
        return old is not new
    if isinstance(old, str) and isinstance(new, str):
        return old != new
    # Python takes true for 1.
    if old == new and _json(old) == _json(new):
        return False
    return _is_large([old, new], members) or not same(old, new)


def _is_large(values: list[Any], members: _Members) -> bool:
    """Return whether values hold more than may still be looked at."""
    level = values
    while level:
        containers = [value for value in level if isinstance(value, dict | list)]
        if not members.take(sum(map(len, containers))):
            return True
        level = [inner for value in containers for inner in _inside(value)]
    return False


def _inside(value: dict[str, Any] | list[Any]) -> Collection[Any]:
    return value.values() if isinstance(value, dict) else value


def _named(side: Any) -> bool:
    """Return whether this is nothing, or a list of objects that each have a `value` of their own, such as labels."""
    if side is None or not isinstance(side, list) or len(side) > _MOST_MEMBERS:
        return side is None
    names = [item.get("value") if isinstance(item, dict) else None for item in side]
    return bool(names) and all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def _leaves_by_name(path: tuple[str, ...], old: list[Any], new: list[Any], members: _Members) -> Iterator[_Leaf]:
    """Yield what came, went and changed among named objects, and their order when only that is different."""
    was, now = ({item["value"]: _besides_its_name(item) for item in side} for side in (old, new))
    for name in dict.fromkeys([*was, *now]):
        inner = (*path, _short_name(name))
        yield from _leaves(inner, was.get(name, _ABSENT), now.get(name, _ABSENT), members)
    kept_was, kept_now = [name for name in was if name in now], [name for name in now if name in was]
    if kept_was != kept_now:
        yield _Leaf(path=(*path[:-1], f"{path[-1]} (order)"), old=list(was), new=list(now))


def _besides_its_name(item: dict[str, Any]) -> dict[str, Any]:
    besides = {key: said for key, said in item.items() if key != "value" and said not in ("", None)}
    return besides or {"value": item["value"]}


def _opens(old: Any, new: Any) -> bool:
    sides = [side for side in (old, new) if side is not None and side is not _ABSENT]
    return bool(sides) and all(isinstance(side, dict) for side in sides) and any(sides)


def _field_diff(name: str, old: Any, new: Any) -> FieldDiff:
    was, now = (field_labels.word(name, side) or _text(side) for side in (old, new))
    if was == now:
        was, now = _json(old), _json(new)
    gone, come = _retagged(old, new) if name == "tags" else ((), ())
    kind = Kind.TAGS if gone or come else _kind(name, was, now, nested=any(map(_nested, (old, new))))
    return FieldDiff(name=name, old=was, new=now, kind=kind, gone=gone, come=come)


def _kind(name: str, was: str, now: str, *, nested: bool) -> Kind:
    if nested:
        return Kind.JSON
    if (was or now) and all(field_labels.instant(name, side) for side in (was, now) if side):
        return Kind.TIME
    return Kind.WORDS if max(len(was), len(now)) > _LONG else Kind.VALUE


def _retagged(old: Any, new: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which tags went and which came; none of either where a side is no list of tags."""
    was, now = (side or [] for side in (old, new))
    if not all(isinstance(side, list) and all(isinstance(tag, str) for tag in side) for side in (was, now)):
        return (), ()
    if sum(map(len, [*was, *now])) > _LONGEST_TAGS:
        return (), ()
    before, after = set(was), set(now)
    return tuple(tag for tag in was if tag not in after), tuple(tag for tag in now if tag not in before)


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
    """Return whether a list is shown as JSON: one of objects or lists, or a long one."""
    return isinstance(value, list) and (
        len(value) > _MOST_ITEMS or any(isinstance(item, dict | list) for item in value)
    )
