"""The keys of the review page: the one table behind the script, the sheet that `?` opens, and docs/keys.md.

A key is written as the browser names it (`KeyboardEvent.key`), after its modifiers: `Mod` is Ctrl, or Command on
Apple's machines. `Digit` stands for 1 to 9 and 0, which are read by position, so that the number pad and other
layouts work. A person may give an action another single key, or switch all single keys off (WCAG 2.1.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SHOWN = {"ArrowUp": "↑", "ArrowDown": "↓", "ArrowLeft": "←", "ArrowRight": "→", "Escape": "Esc"}


@dataclass(frozen=True, kw_only=True)
class Key:
    """One action of the review page: its keys, its sentence, and whether it works while somebody types."""

    action: str
    keys: tuple[str, ...]
    sentence: str
    typing: bool = False

    @property
    def single(self) -> str:
        """The printable key that works alone and can be given away, or ""."""
        return next((key for key in self.keys if len(key) == 1), "")

    @property
    def shown(self) -> list[list[str]]:
        """The keys as people read them, each as its parts; `Mod` is left for the page, which knows the platform."""
        return [_parts(key) for key in self.keys]


def _parts(key: str) -> list[str]:
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    return [*modifiers, "1 … 9, 0" if last == "Digit" else _SHOWN.get(last, last.upper() if len(last) == 1 else last)]


KEYS: tuple[Key, ...] = (
    Key(action="label", keys=("Digit",), sentence="Choose label 1 to 10"),
    Key(action="label_more", keys=("Shift+Digit",), sentence="Choose label 11 to 20"),
    Key(action="field_previous", keys=("ArrowUp",), sentence="Go to the field above"),
    Key(action="field_next", keys=("ArrowDown",), sentence="Go to the field below"),
    Key(action="item_previous", keys=("ArrowLeft", "k"), sentence="Open the item before"),
    Key(action="item_next", keys=("ArrowRight", "j"), sentence="Open the next item"),
    Key(action="less_sure", keys=("[",), sentence="Lower the confidence by 0.05"),
    Key(action="more_sure", keys=("]",), sentence="Raise the confidence by 0.05"),
    Key(action="reasoning", keys=("r",), sentence="Write the reasoning"),
    Key(action="take_reasoning", keys=("m",), sentence="Use the machine's reasoning as mine, to be edited"),
    Key(action="leave", keys=("Escape",), sentence="Leave the field, or “can't tell”", typing=True),
    Key(action="submit", keys=("Mod+Enter",), sentence="Submit and open the next item", typing=True),
    Key(action="save_draft", keys=("Mod+s",), sentence="Save the draft now; it also saves itself", typing=True),
    Key(action="undo", keys=("Mod+z",), sentence="Undo my last decision, skip or defer"),
    Key(action="skip", keys=("s",), sentence="Skip: somebody else, please"),
    Key(action="defer", keys=("d",), sentence="Defer: back to me later"),
    Key(action="cannot_tell", keys=("x",), sentence="Can't tell (give a reason)"),
    Key(action="guidelines", keys=("g",), sentence="Show the guidelines"),
    Key(action="history", keys=("h",), sentence="Show the history"),
    Key(action="blur", keys=("b",), sentence="Blur the media, or show it again"),
    Key(action="search", keys=("/", "Mod+k"), sentence="Search the queue"),
    Key(action="media_play", keys=("Alt+Space",), sentence="Play or pause the media"),
    Key(action="media_back", keys=("Alt+ArrowLeft",), sentence="Step back in the media"),
    Key(action="media_forward", keys=("Alt+ArrowRight",), sentence="Step forward in the media"),
    Key(action="sheet", keys=("?",), sentence="Show this list of keys"),
)


def for_person(key_map: Mapping[str, Any], keys: tuple[Key, ...] = KEYS) -> tuple[Key, ...]:
    """Return the table with the single keys a person has chosen (`{action: key}`).

    A choice that names no single-key action, or is not one printable character, is left out; so is one whose
    key another action has by then, because one key must never do two things.
    """
    wanted = {
        key.action: str(chosen).lower()
        for key in keys
        if key.single and isinstance(chosen := key_map.get(key.action), str) and _usable(chosen)
    }
    while (refused := _clashing(wanted, keys)) is not None:
        del wanted[refused]
    return tuple(_with(key, wanted[key.action]) if key.action in wanted else key for key in keys)


def _clashing(wanted: Mapping[str, str], keys: tuple[Key, ...]) -> str | None:
    """Return the first action whose wanted key another one has; who is refused keeps its own, which may clash anew."""
    taken = {key.single for key in keys if key.action not in wanted}
    for action, chosen in wanted.items():
        if chosen in taken:
            return action
        taken.add(chosen)
    return None


def _usable(key: str) -> bool:
    return len(key) == 1 and key.isprintable() and not key.isspace() and not key.isdigit()


def _with(key: Key, single: str) -> Key:
    keys = tuple(single if known == key.single else known for known in key.keys)
    return Key(action=key.action, keys=keys, sentence=key.sentence, typing=key.typing)


def as_json(keys: tuple[Key, ...]) -> list[dict[str, Any]]:
    """Return the table as the script reads it."""
    return [{"action": key.action, "keys": list(key.keys), "typing": key.typing} for key in keys]
