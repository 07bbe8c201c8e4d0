"""Tags, which are never set as a list: what is kept of an edit is which to add and which to remove. Pure.

Upstream replaces the whole list, so it is put together again from the freshest one at the last moment; two people who
tag one retriever at the same time then both have their way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

ADD, REMOVE = "add", "remove"


def delta(tags: Collection[str], *, add: Iterable[str], remove: Iterable[str]) -> dict[str, list[str]]:
    """Return what of an edit makes a difference to `tags`, as a change holds it; {} when nothing does.

    A tag that is both added and removed stays as it is.
    """
    added, removed = dict.fromkeys(add), dict.fromkeys(remove)
    made = {
        ADD: [tag for tag in added if tag not in removed and tag not in tags],
        REMOVE: [tag for tag in removed if tag not in added and tag in tags],
    }
    return made if made[ADD] or made[REMOVE] else {}


def merged(tags: Sequence[str], change: Mapping[str, Any]) -> list[str]:
    """Return `tags` in their order without those that `change` removes, then those that it adds and that are missing.

    Nothing else is touched, so `merged(merged(tags, change), change)` is `merged(tags, change)`.
    """
    kept = [tag for tag in tags if tag not in change[REMOVE]]
    return [*kept, *dict.fromkeys(tag for tag in change[ADD] if tag not in kept)]


def between(was: Collection[str], now: Collection[str]) -> dict[str, list[str]]:
    """Return the sets that lead from one list of tags to another, for whoever has the whole list as they want it."""
    return {ADD: [tag for tag in now if tag not in was], REMOVE: [tag for tag in was if tag not in now]}
