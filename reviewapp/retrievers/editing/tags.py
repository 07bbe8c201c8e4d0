"""Deltas of tags: an edit holds the tags to add and to remove, never the whole list. Pure.

Upstream replaces the whole list, so it is built from the newest list at the last moment. Two people
who tag one retriever at the same time then both get their tags.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

ADD = "add"
REMOVE = "remove"


def tag_delta(
    tags: Collection[str],
    *,
    add: Iterable[str],
    remove: Iterable[str],
) -> dict[str, list[str]]:
    """Return the part of an edit that changes `tags`, as a change holds it; {} if nothing does.

    A tag that is both added and removed stays as it is.
    """
    added = dict.fromkeys(add)
    removed = dict.fromkeys(remove)
    for tag in added.keys() & removed.keys():
        del added[tag]
        del removed[tag]

    new = [tag for tag in added if tag not in tags]
    old = [tag for tag in removed if tag in tags]
    if not new and not old:
        return {}
    return {ADD: new, REMOVE: old}


def apply_tag_delta(tags: Sequence[str], change: Mapping[str, Any]) -> list[str]:
    """Return `tags` in their order without those that `change` removes, then those that it adds.

    It is idempotent: `apply_tag_delta(merged(tags, change), change)` is `apply_tag_delta(tags,
    change)`.
    """
    result = [tag for tag in tags if tag not in change[REMOVE]]
    for tag in change[ADD]:
        if tag not in result:
            result.append(tag)
    return result


def tag_delta_between(old: Collection[str], new: Collection[str]) -> dict[str, list[str]]:
    """Return the delta that leads from one list of tags to another."""
    return {ADD: [], REMOVE: [], **tag_delta(old, add=new, remove=old)}
