"""Readable differences of an event: `{field: [old, new]}` in, `FieldDiff`s out. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from reviewapp.audit.presenters import field_labels
from reviewapp.audit.presenters.text_diff import MAX_WORK, DiffPiece, shorten, text_diff
from reviewapp.json_values import is_same_json, number_text

# Longer texts are compared word by word.
_MAX_VALUE_LENGTH = 60
_MAX_DIFFS = 40
# How much of one event is visited: members of objects and lists, and levels.
_MAX_MEMBERS = 2_000
_MAX_DEPTH = 20
# Longer lists are shown as JSON.
_MAX_LIST_ITEMS = 1_000
_MAX_NAME_LENGTH = 100
# Characters that one event may show of each side: browsers lay out more of them, on a page of
# fifty events, for minutes. The whole values are in the API's list of events.
_MAX_SHOWN = 10_000
_MIN_SHOWN = 500
# Longer lists of tags are shown as one text.
_MAX_TAG_CHARACTERS = 20_000

_ABSENT = object()


class Kind(StrEnum):
    """How a difference is shown."""

    VALUE = "value"
    WORDS = "words"
    JSON = "json"
    TIME = "time"
    TAGS = "tags"


@dataclass(frozen=True, kw_only=True)
class FieldDiff:
    """One field (a dotted path inside JSON) before and after, as text; "" is no value.

    `title` is "" when the name is the best title there is. `old_shown` and `new_shown` are the
    texts, truncated where they are too long for a page. Instants have `old_at` and `new_at`, None
    where there is none. For tags, `removed` and `added` are the difference. For words, `pieces` are
    the new text with its changes marked, and long unchanged stretches left out.
    """

    name: str
    title: str = ""
    old: str
    new: str
    kind: Kind = Kind.VALUE
    old_at: datetime | None = None
    new_at: datetime | None = None
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    old_shown: str = field(default="", compare=False)
    new_shown: str = field(default="", compare=False)
    pieces: tuple[DiffPiece, ...] = field(default=(), compare=False)


def _truncate(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    rest = _("… and %(number)s more characters") % {"number": f"{len(text) - length:,}"}
    return text[:length] + rest


def field_diffs(
    changes: Mapping[str, Any],
    *,
    hidden: Collection[str] = (),
) -> tuple[FieldDiff, ...]:
    """Return at most 40 differences of an event's `changes`, JSON objects split into their leaves.

    The work is bounded. Values are split while they have at most 2,000 members together; a larger
    value is one leaf. All texts share the budget of one event (`text_diff.MAX_WORK`).
    """
    visible = {name: pair for name, pair in sorted(changes.items()) if name not in hidden}
    leaves = _all_leaves(visible)
    first_leaves = list(islice(leaves, _MAX_DIFFS))
    more = sum(1 for _ in leaves)

    if more:
        text = _("and %(number)s more fields") % {"number": more + 1}
        rest = FieldDiff(name="…", old="", new=text, new_shown=text)
        return (*_share_budget(first_leaves[:-1]), rest)
    return tuple(_share_budget(first_leaves))


def _share_budget(leaves: Collection[_Leaf]) -> list[FieldDiff]:
    """Return the differences of these leaves, each with its share of the event's budget."""
    diffs = [_field_diff(".".join(leaf.path), leaf.old, leaf.new) for leaf in leaves]
    texts = sum(1 for diff in diffs if diff.kind == Kind.WORDS)
    max_work = MAX_WORK // max(texts, 1)
    max_shown = max(_MAX_SHOWN // max(len(diffs), 1), _MIN_SHOWN)
    return [_with_shown_texts(diff, max_work, max_shown) for diff in diffs]


def _with_shown_texts(diff: FieldDiff, max_work: int, max_shown: int) -> FieldDiff:
    is_whole = max(len(diff.old), len(diff.new)) <= max_shown
    if is_whole and diff.kind != Kind.WORDS:
        return diff

    pieces: list[DiffPiece] = []
    if diff.kind == Kind.WORDS:
        compared = text_diff(diff.old, diff.new, max_work=max_work)
        for piece in shorten(compared, max_work=max_work):
            pieces.append(replace(piece, text=_truncate(piece.text, max_shown)))

    return replace(
        diff,
        old_shown=_truncate(diff.old, max_shown),
        new_shown=_truncate(diff.new, max_shown),
        pieces=tuple(pieces),
    )


@dataclass(frozen=True, kw_only=True)
class _Leaf:
    """A value that is not split any further, before and after."""

    path: tuple[str, ...]
    old: Any
    new: Any


class _MemberBudget:
    """How many members of objects and lists may still be visited."""

    def __init__(self) -> None:
        self.remaining = _MAX_MEMBERS

    def spend(self, count: int) -> bool:
        """Take `count` members from the budget; return False if it has fewer left."""
        if count > self.remaining:
            return False
        self.remaining -= count
        return True


def _all_leaves(changes: Mapping[str, Any]) -> Iterator[_Leaf]:
    budget = _MemberBudget()
    for name, pair in changes.items():
        path = (_truncate_name(name),)
        # Triggers write pairs only, but an event inserted by hand may hold anything.
        old, new = (pair[0], pair[1]) if _is_pair(pair) else (None, pair)
        if name == field_labels.MERGED and isinstance(new, dict):
            yield from _merged_leaves(new, budget)
        else:
            yield from _leaves(path, old, new, budget)


def _merged_leaves(merged: Mapping[str, Any], budget: _MemberBudget) -> Iterator[_Leaf]:
    """Yield the leaves of what others changed before a delivery: `{field: [old, new]}`."""
    if not budget.spend(len(merged)):
        yield _Leaf(path=(field_labels.MERGED,), old=None, new=merged)
        return
    for name, pair in merged.items():
        old, new = (pair[0], pair[1]) if _is_pair(pair) else (None, pair)
        yield from _leaves((field_labels.MERGED, _truncate_name(name)), old, new, budget)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def _leaves(path: tuple[str, ...], old: Any, new: Any, budget: _MemberBudget) -> Iterator[_Leaf]:
    """Yield each leaf that differs; where only one side is an object, the other is empty."""
    if len(path) > _MAX_DEPTH:
        if _differs(old, new, budget):
            yield _Leaf(path=path, old=old, new=new)
        return

    both_named = _is_named_list(old) and _is_named_list(new)
    if both_named and budget.spend(len(old or []) + len(new or [])):
        yield from _named_leaves(path, old or [], new or [], budget)
        return

    if _are_objects(old, new):
        old_members = _as_object(old)
        new_members = _as_object(new)
        if budget.spend(len(old_members) + len(new_members)):
            keys = sorted({*old_members, *new_members})
            yield from _member_leaves(path, keys, old_members, new_members, budget)
            return

    if _differs(old, new, budget):
        yield _Leaf(path=path, old=old, new=new)


def _as_object(value: Any) -> dict[str, Any]:
    """Return the value, or {} if it is no object."""
    if isinstance(value, dict):
        return value
    return {}


def _member_leaves(
    path: tuple[str, ...],
    keys: Iterable[str],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    budget: _MemberBudget,
) -> Iterator[_Leaf]:
    for key in keys:
        inner_path = (*path, _truncate_name(key))
        yield from _leaves(inner_path, old.get(key, _ABSENT), new.get(key, _ABSENT), budget)


def _truncate_name(name: str) -> str:
    if len(name) <= _MAX_NAME_LENGTH:
        return name
    return f"{name[:_MAX_NAME_LENGTH]}…"


def _differs(old: Any, new: Any, budget: _MemberBudget) -> bool:
    if old is _ABSENT or new is _ABSENT:
        return old is not new
    if isinstance(old, str) and isinstance(new, str):
        return old != new

    # The JSON is compared as well because in Python `True == 1`.
    is_equal = old == new and _json(old) == _json(new)
    if is_equal:
        return False

    if _is_large([old, new], budget):
        return True
    return not is_same_json(old, new)


def _is_large(values: list[Any], budget: _MemberBudget) -> bool:
    """Return whether values hold more members than may still be visited."""
    level = values
    while level:
        containers = [value for value in level if isinstance(value, dict | list)]
        if not budget.spend(sum(map(len, containers))):
            return True

        level = []
        for container in containers:
            if isinstance(container, dict):
                level.extend(container.values())
            else:
                level.extend(container)
    return False


def _is_named_list(value: Any) -> bool:
    """Return whether this is None, or a list of objects with a unique `value` each (labels)."""
    if value is None:
        return True
    if not isinstance(value, list) or not value or len(value) > _MAX_MEMBERS:
        return False

    names = set()
    for item in value:
        if not isinstance(item, dict):
            return False
        name = item.get("value")
        if not isinstance(name, str):
            return False
        names.add(name)
    return len(names) == len(value)


def _named_leaves(
    path: tuple[str, ...],
    old: list[Any],
    new: list[Any],
    budget: _MemberBudget,
) -> Iterator[_Leaf]:
    """Yield the leaves of named objects, and their order if only that differs."""
    old_items = {item["value"]: _without_name(item) for item in old}
    new_items = {item["value"]: _without_name(item) for item in new}
    names = dict.fromkeys([*old_items, *new_items])
    yield from _member_leaves(path, names, old_items, new_items, budget)

    old_order = [name for name in old_items if name in new_items]
    new_order = [name for name in new_items if name in old_items]
    if old_order != new_order:
        order_path = (*path[:-1], _("%(name)s (order)") % {"name": path[-1]})
        yield _Leaf(path=order_path, old=list(old_items), new=list(new_items))


def _without_name(item: dict[str, Any]) -> dict[str, Any]:
    """Return the other members that are not empty, or the name alone if there are none."""
    others = {}
    for key, value in item.items():
        if key != "value" and value not in ("", None):
            others[key] = value
    return others or {"value": item["value"]}


def _are_objects(old: Any, new: Any) -> bool:
    """Return whether both sides, as far as they are present, are objects, not all empty."""
    sides = [side for side in (old, new) if side is not None and side is not _ABSENT]
    return all(isinstance(side, dict) for side in sides) and any(sides)


def _field_diff(name: str, old: Any, new: Any) -> FieldDiff:
    old_text = field_labels.word(name, old) or _text(old)
    new_text = field_labels.word(name, new) or _text(new)
    if old_text == new_text:
        old_text = _json(old)
        new_text = _json(new)

    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    if name == "tags":
        removed, added = _tag_changes(old, new)

    old_at = field_labels.instant(name, old_text)
    new_at = field_labels.instant(name, new_text)

    if removed or added:
        kind = Kind.TAGS
    elif _is_nested(old) or _is_nested(new):
        kind = Kind.JSON
    elif old_at or new_at:
        kind = Kind.TIME
    elif max(len(old_text), len(new_text)) > _MAX_VALUE_LENGTH:
        kind = Kind.WORDS
    else:
        kind = Kind.VALUE

    return FieldDiff(
        name=name,
        title=field_labels.title(name),
        old=old_text,
        new=new_text,
        kind=kind,
        old_at=old_at,
        new_at=new_at,
        removed=removed,
        added=added,
        old_shown=old_text,
        new_shown=new_text,
    )


def _tag_changes(old: Any, new: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which tags were removed and added; none where a side is not a list of tags."""
    old_tags = old or []
    new_tags = new or []
    if not _are_tags(old_tags) or not _are_tags(new_tags):
        return (), ()
    if sum(map(len, [*old_tags, *new_tags])) > _MAX_TAG_CHARACTERS:
        return (), ()

    before = set(old_tags)
    after = set(new_tags)
    removed = tuple(tag for tag in old_tags if tag not in after)
    added = tuple(tag for tag in new_tags if tag not in before)
    return removed, added


def _are_tags(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(tag, str) for tag in value)


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or _is_shown_as_json(value)


def _text(value: Any) -> str:
    if value is _ABSENT or value is None or value in ({}, []):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, list) and not _is_shown_as_json(value):
        return ", ".join(map(_text, value))
    return _json(value)


def _json(value: Any) -> str:
    if value is _ABSENT:
        return ""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _is_shown_as_json(value: Any) -> bool:
    """Return whether this is a list that is long or holds objects or lists."""
    if not isinstance(value, list):
        return False
    return len(value) > _MAX_LIST_ITEMS or any(isinstance(item, dict | list) for item in value)
