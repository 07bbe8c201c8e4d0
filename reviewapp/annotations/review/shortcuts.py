"""Keyboard shortcuts of the review page and the queue, for scripts, sheets and docs/keys.md.

A key is written as the browser names it (`KeyboardEvent.key`), after its modifiers: `Mod` is Ctrl,
or Command on Apple's machines. `Digit` stands for 1 to 9 and 0, which are read by position, so that
the number pad and other layouts work. A person may assign another single key to an action, or
switch all single keys off (WCAG 2.1.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

_SYMBOLS = {
    "ArrowUp": "↑",
    "ArrowDown": "↓",
    "ArrowLeft": "←",
    "ArrowRight": "→",
    "Escape": "Esc",
    "Digit": "1 … 9, 0",
}


class Group(TextChoices):
    """The parts of the sheet of keys, in their order."""

    DECIDE = "decide", gettext_lazy("Decide")
    MOVE = "move", gettext_lazy("Move")
    LOOK = "look", gettext_lazy("Look closer")
    PAGE = "page", gettext_lazy("Page")


@dataclass(frozen=True, kw_only=True)
class Shortcut:
    """One action of a page. `typing`: it also works while the focus is in a field."""

    action: str
    group: Group
    keys: tuple[str, ...]
    sentence: str | Promise
    typing: bool = False

    @property
    def single(self) -> str:
        """The printable key without modifiers, which can be reassigned, or ""."""
        for key in self.keys:
            if len(key) == 1:
                return key
        return ""

    @property
    def shown(self) -> list[list[str]]:
        """The keys as people read them, each as its parts; the page replaces `Mod`."""
        shown = []
        for key in self.keys:
            # "+" may be a key itself.
            parts = key.split("+") if len(key) > 1 else [key]
            *modifiers, last = parts
            symbol = _SYMBOLS.get(last, last)
            if len(last) == 1:
                symbol = last.upper()
            shown.append([*modifiers, symbol])
        return shown

    def with_single(self, single: str) -> Self:
        """Return the shortcut with another single key in the place of its own."""
        keys = []
        for key in self.keys:
            keys.append(single if key == self.single else key)
        return replace(self, keys=tuple(keys))


KEYS: tuple[Shortcut, ...] = (
    Shortcut(
        action="label",
        group=Group.DECIDE,
        keys=("Digit",),
        sentence=gettext_lazy("Choose label 1 to 10"),
    ),
    Shortcut(
        action="label_more",
        group=Group.DECIDE,
        keys=("Shift+Digit",),
        sentence=gettext_lazy("Choose label 11 to 20"),
    ),
    Shortcut(
        action="field_previous",
        group=Group.MOVE,
        keys=("ArrowUp",),
        sentence=gettext_lazy("Previous field"),
    ),
    Shortcut(
        action="field_next",
        group=Group.MOVE,
        keys=("ArrowDown",),
        sentence=gettext_lazy("Next field"),
    ),
    Shortcut(
        action="item_previous",
        group=Group.MOVE,
        keys=("ArrowLeft", "k"),
        sentence=gettext_lazy("Previous item"),
    ),
    Shortcut(
        action="item_next",
        group=Group.MOVE,
        keys=("ArrowRight", "j"),
        sentence=gettext_lazy("Next item"),
    ),
    Shortcut(
        action="less_sure",
        group=Group.DECIDE,
        keys=("[",),
        sentence=gettext_lazy("Lower the confidence by 0.05"),
    ),
    Shortcut(
        action="more_sure",
        group=Group.DECIDE,
        keys=("]",),
        sentence=gettext_lazy("Raise the confidence by 0.05"),
    ),
    Shortcut(
        action="reasoning",
        group=Group.DECIDE,
        keys=("r",),
        sentence=gettext_lazy("Go to the reasoning"),
    ),
    Shortcut(
        action="take_reasoning",
        group=Group.DECIDE,
        keys=("m",),
        sentence=gettext_lazy("Copy the machine's reasoning"),
    ),
    Shortcut(
        action="leave",
        group=Group.MOVE,
        keys=("Escape",),
        sentence=gettext_lazy("Leave the field or “can't tell”"),
        typing=True,
    ),
    Shortcut(
        action="submit",
        group=Group.DECIDE,
        keys=("Mod+Enter",),
        sentence=gettext_lazy("Submit and open the next item"),
        typing=True,
    ),
    Shortcut(
        action="save_draft",
        group=Group.DECIDE,
        keys=("Mod+s",),
        sentence=gettext_lazy("Save draft (also automatic)"),
        typing=True,
    ),
    Shortcut(
        action="undo",
        group=Group.DECIDE,
        keys=("Mod+z",),
        sentence=gettext_lazy("Undo my last decision, skip or defer"),
    ),
    Shortcut(
        action="skip",
        group=Group.DECIDE,
        keys=("s",),
        sentence=gettext_lazy("Skip: leave it to others"),
    ),
    Shortcut(
        action="defer",
        group=Group.DECIDE,
        keys=("d",),
        sentence=gettext_lazy("Defer: keep it for me, for later"),
    ),
    Shortcut(
        action="cannot_tell",
        group=Group.DECIDE,
        keys=("x",),
        sentence=gettext_lazy("Can't tell (give a reason)"),
    ),
    Shortcut(
        action="guidelines",
        group=Group.LOOK,
        keys=("g",),
        sentence=gettext_lazy("Show the guidelines"),
    ),
    Shortcut(
        action="history", group=Group.LOOK, keys=("h",), sentence=gettext_lazy("Show the history")
    ),
    Shortcut(
        action="blur",
        group=Group.LOOK,
        keys=("b",),
        sentence=gettext_lazy("Blur or show the media"),
    ),
    Shortcut(
        action="evidence_up",
        group=Group.LOOK,
        keys=("PageUp",),
        sentence=gettext_lazy("Scroll the evidence up"),
    ),
    Shortcut(
        action="evidence_down",
        group=Group.LOOK,
        keys=("PageDown", "Space"),
        sentence=gettext_lazy("Scroll the evidence down"),
    ),
    Shortcut(
        action="search",
        group=Group.PAGE,
        keys=("/",),
        sentence=gettext_lazy("Search the queue"),
    ),
    Shortcut(
        action="media_play",
        group=Group.LOOK,
        keys=("Alt+Space",),
        sentence=gettext_lazy("Play or pause the media"),
    ),
    Shortcut(
        action="media_back",
        group=Group.LOOK,
        keys=("Alt+ArrowLeft",),
        sentence=gettext_lazy("Step back in the media"),
    ),
    Shortcut(
        action="media_forward",
        group=Group.LOOK,
        keys=("Alt+ArrowRight",),
        sentence=gettext_lazy("Step forward in the media"),
    ),
    Shortcut(
        action="palette",
        group=Group.PAGE,
        keys=("Mod+k",),
        sentence=gettext_lazy("Go to a page, an item or an action"),
        typing=True,
    ),
    Shortcut(
        action="sheet",
        group=Group.PAGE,
        keys=("?",),
        sentence=gettext_lazy("Show this list of keys"),
    ),
)

_BY_ACTION = {key.action: key for key in KEYS}

# The single keys are those of actions on the review page (`for_queue`).
QUEUE_KEYS: tuple[Shortcut, ...] = (
    replace(_BY_ACTION["item_next"], keys=("j",), sentence=gettext_lazy("Next row")),
    replace(_BY_ACTION["item_previous"], keys=("k",), sentence=gettext_lazy("Previous row")),
    Shortcut(
        action="open", group=Group.MOVE, keys=("Enter",), sentence=gettext_lazy("Open the row")
    ),
    # Its single key is that of "can't tell", so that it never clashes with another one.
    replace(
        _BY_ACTION["cannot_tell"],
        action="select",
        sentence=gettext_lazy("Select the row, to decide several together"),
    ),
    Shortcut(
        action="select_next",
        group=Group.DECIDE,
        keys=("Shift+ArrowDown", "Shift+j"),
        sentence=gettext_lazy("Select the row and the next one"),
    ),
    Shortcut(
        action="select_previous",
        group=Group.DECIDE,
        keys=("Shift+ArrowUp", "Shift+k"),
        sentence=gettext_lazy("Select the row and the previous one"),
    ),
    Shortcut(
        action="clear_selection",
        group=Group.DECIDE,
        keys=("Escape",),
        sentence=gettext_lazy("Clear the selection"),
    ),
    _BY_ACTION["undo"],
    _BY_ACTION["search"],
    _BY_ACTION["palette"],
    _BY_ACTION["sheet"],
)


def for_person(
    key_map: Mapping[str, Any], keys: tuple[Shortcut, ...] = KEYS
) -> tuple[Shortcut, ...]:
    """Return the table with the single keys that a person has assigned (`{action: key}`).

    An assignment is ignored if the action has no single key, if the key is not one printable
    character, or if another action has the key: one key must never do two things.
    """
    assigned = {}
    for key in keys:
        single = key_map.get(key.action)
        if not key.single or not isinstance(single, str):
            continue
        is_printable = len(single) == 1 and single.isprintable()
        if is_printable and not single.isspace() and not single.isdigit():
            assigned[key.action] = single.lower()

    # An action whose assignment is dropped gets its default key back, which may clash in turn.
    while True:
        clashing = _first_clash(assigned, keys)
        if clashing is None:
            break
        del assigned[clashing]

    table = []
    for key in keys:
        if key.action in assigned:
            table.append(key.with_single(assigned[key.action]))
        else:
            table.append(key)
    return tuple(table)


def _first_clash(assigned: Mapping[str, str], keys: tuple[Shortcut, ...]) -> str | None:
    """Return the first action whose assigned key another action has, None for none."""
    taken = {key.single for key in keys if key.action not in assigned}
    for action, single in assigned.items():
        if single in taken:
            return action
        taken.add(single)
    return None


def for_queue(key_map: Mapping[str, Any]) -> tuple[Shortcut, ...]:
    """Return the queue's table with the single keys that a person has on the review page."""
    singles = {key.action: key.single for key in for_person(key_map)}
    singles["select"] = singles["cannot_tell"]
    shifted = {"select_next": singles["item_next"], "select_previous": singles["item_previous"]}

    table = []
    for key in QUEUE_KEYS:
        if key.single:
            table.append(key.with_single(singles[key.action]))
        elif key.action in shifted:
            arrow = key.keys[0]
            table.append(replace(key, keys=(arrow, f"Shift+{shifted[key.action]}")))
        else:
            table.append(key)
    return tuple(table)


def by_group(keys: tuple[Shortcut, ...]) -> list[tuple[Group, list[Shortcut]]]:
    """Return the actions that have keys by their group, as the sheet shows them."""
    groups = []
    for group in Group:
        members = [key for key in keys if key.group == group and key.keys]
        if members:
            groups.append((group, members))
    return groups


def without_single_keys(keys: tuple[Shortcut, ...]) -> tuple[Shortcut, ...]:
    """Return what a person has who has switched single keys off: some actions have no key."""
    table = []
    for key in keys:
        combinations = []
        for name in key.keys:
            # As `isSingle` in the script of the keys: Escape works for everybody.
            if name.startswith(("Mod+", "Alt+")) or name == "Escape":
                combinations.append(name)
        table.append(replace(key, keys=tuple(combinations)))
    return tuple(table)


def shortcuts_as_json(keys: tuple[Shortcut, ...]) -> list[dict[str, Any]]:
    """Return the table as the script reads it, also for actions without a key.

    Labels are left out: each has a button, on which its digit stands.
    """
    table = []
    for key in keys:
        if not key.action.startswith("label"):
            table.append(
                {
                    "action": key.action,
                    "keys": list(key.keys),
                    "typing": key.typing,
                    "sentence": str(key.sentence),
                }
            )
    return table
