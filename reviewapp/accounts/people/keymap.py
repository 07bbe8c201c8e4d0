"""The keys that a person may change: which there are (`settings.KEY_TABLE` says where), and what is a good one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class Key(Protocol):
    """One action of a page: its name in the key map, its sentence, its own single key ("" for none)."""

    @property
    def action(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def single(self) -> str: ...


def changeable_keys() -> list[Key]:
    """Return the actions that have a single key, which is what a person may change."""
    table: Sequence[Key] = import_string(settings.KEY_TABLE)
    return [key for key in table if key.single]


def good_key(typed: str) -> str:
    """Return `typed` as a key map holds it; raises ValueError, with a sentence, when it can be no key."""
    key = typed.strip().lower()
    if len(key) != 1 or not key.isprintable():
        raise ValueError("A key is one single character that you can type.")
    if key.isdigit():
        raise ValueError("The digits choose labels; take another key.")
    return key


def clashes(wanted: Mapping[str, str], keys: Sequence[Key]) -> dict[str, str]:
    """Return `{action: sentence}` for each action whose key another action has too.

    `wanted` holds `{action: key}` where a person wants another than the action's own. The action that was not
    changed keeps quiet: it is the changed one that can be mended, or both when both were changed.
    """
    in_use = {key.action: wanted.get(key.action, key.single) for key in keys}
    sentences = {key.action: key.sentence for key in keys}
    return {
        action: f"“{chosen}” is already used for: {sentences[other]}."
        for action, chosen in wanted.items()
        for other, taken in in_use.items()
        if other != action and taken == chosen
    }
