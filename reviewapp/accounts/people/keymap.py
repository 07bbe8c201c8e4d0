"""The shortcut keys that a person may change (`settings.KEY_TABLE`), and their validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _


class KeyMapEntry(Protocol):
    """An action of a page: its name in the key map, its description, its default key or ""."""

    @property
    def action(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def single(self) -> str: ...


def changeable_keys() -> list[KeyMapEntry]:
    """Return the actions that have a default single key; a person may change it."""
    table: Sequence[KeyMapEntry] = import_string(settings.KEY_TABLE)
    return [key for key in table if key.single]


def parse_key(text: str) -> str:
    """Return the key in the form of a key map; raises ValueError with a message."""
    key = text.strip().lower()
    if len(key) != 1 or not key.isprintable():
        raise ValueError(_("Enter one character."))
    if key.isdigit():
        raise ValueError(_("Digits are reserved for labels. Choose another key."))
    return key


def find_conflicts(key_map: Mapping[str, str], keys: Sequence[KeyMapEntry]) -> dict[str, str]:
    """Return `{action: message}` for each changed key that another action uses too.

    `key_map` holds `{action: key}` for the keys that differ from the default. An action with its
    default key gets no message, because the person can only change the other one.
    """
    key_in_use = {key.action: key_map.get(key.action, key.single) for key in keys}
    descriptions = {key.action: key.sentence for key in keys}

    messages = {}
    for action, key in key_map.items():
        for other_action, other_key in key_in_use.items():
            if other_action != action and other_key == key:
                description = descriptions[other_action]
                values = {"key": key, "description": description}
                messages[action] = _("“%(key)s” is already used for: %(description)s.") % values
    return messages
