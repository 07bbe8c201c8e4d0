"""Deltas of tags: an edit holds the tags to add and to remove, never the whole list. Pure.

Upstream replaces the whole list, so it is built from the newest list at the last moment. Two people
who tag one retriever at the same time then both get their tags.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from reviewapp.naming import same_key, tidy

ADD = "add"
REMOVE = "remove"


def tag_delta(
    tags: Collection[str],
    *,
    add: Collection[str],
    remove: Collection[str],
) -> dict[str, list[str]]:
    """Return the part of an edit that changes `tags`, as a change holds it; {} if nothing does.

    A tag that is both added and removed stays as it is. One that differs from a tag in capitals or
    spelling only is not added beside it.
    """
    both = set(add) & set(remove)
    added = dict.fromkeys(tag if tag in tags else tidy(tag) for tag in add if tag not in both)
    removed: dict[str, None] = {}
    for tag in remove:
        if tag in both:
            continue
        # The tag itself if it is there, else those that people take for it.
        spellings = [tag]
        if tag not in tags:
            key = same_key(tag)
            spellings = [other for other in tags if same_key(other) == key]
        removed |= dict.fromkeys(spellings)

    remaining = [tag for tag in tags if tag not in removed]
    new = [tag for tag in added if not _has_like(tag, remaining)]
    old = list(removed)
    if not new and not old:
        return {}
    return {ADD: new, REMOVE: old}


def _has_like(tag: str, tags: Collection[str]) -> bool:
    """Return whether people take one of `tags` for this one."""
    key = same_key(tag)
    return any(same_key(other) == key for other in tags)


def apply_tag_delta(tags: Sequence[str], change: Mapping[str, Any]) -> list[str]:
    """Return `tags` in their order without those that `change` removes, then those that it adds.

    It is idempotent: `apply_tag_delta(merged(tags, change), change)` is `apply_tag_delta(tags,
    change)`.
    """
    result = [tag for tag in tags if tag not in change[REMOVE]]
    for tag in change[ADD]:
        if not _has_like(tag, result):
            result.append(tag)
    return result


def tag_delta_between(old: Collection[str], new: Collection[str]) -> dict[str, list[str]]:
    """Return the delta that leads from one list of tags to another."""
    return {ADD: [], REMOVE: [], **tag_delta(old, add=new, remove=old)}
