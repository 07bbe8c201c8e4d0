"""What an edit of a retriever says, whether it can be, and what it comes to. Pure.

`values` are always `{"name": str, "description": str, "tags": [str]}`, the fields that are ours to change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from reviewapp.json_values import same
from reviewapp.outbox.merge import Merge, three_way
from reviewapp.retrievers.documents.snapshot import UNSTORABLE
from reviewapp.retrievers.editing import tags

FIELDS = ("name", "description", "tags")
TEXTS = ("name", "description")
LONGEST = {"name": 200, "description": 10_000}
LONGEST_TAG, MOST_TAGS = 100, 100


class Unacceptable(Exception):
    """The edit can never be made; `fields` says what is wrong with which field, a sentence each."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = dict(fields)


class NameTaken(Unacceptable):
    """Another retriever has this name, as far as we know; upstream would refuse it with 409."""


class Stale(Exception):
    """Somebody changed the same name or description since the form was rendered: show base, mine and theirs.

    `conflicts` names the fields in question, `merged` is mine with everything that only they touched. Tags are never
    among them: they are added and removed, not set.
    """

    def __init__(
        self, ref: str, *, base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any], merge: Merge
    ) -> None:
        super().__init__(f"{ref} was changed meanwhile: {', '.join(merge.conflicts)}")
        self.base, self.mine, self.theirs = base, mine, theirs
        self.conflicts = list(merge.conflicts)
        self.merged = merge.values
        self.only_mine, self.only_theirs = merge.mine_only, tuple(merge.theirs_only)


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What a person wants to be different about a retriever; None and empty sets leave things as they are.

    `edit_id` is made with the form; the same id sent again is the same edit. `base` holds name, description and tags
    as the person saw them; what it leaves out counts as seen the way it is now. `answers` is the key of the conflict
    or refusal that this edit deals with.
    """

    edit_id: UUID
    name: str | None = None
    description: str | None = None
    tags_add: tuple[str, ...] = ()
    tags_remove: tuple[str, ...] = ()
    base: Mapping[str, Any] = field(default_factory=dict)
    answers: int | None = None

    def texts(self) -> dict[str, str]:
        """Return the name and the description, as far as they are to be set."""
        given = {"name": self.name, "description": self.description}
        return {key: value for key, value in given.items() if value is not None}


def check(edit: Edit) -> None:
    """Raise `Unacceptable` for a blank name, for what is too long, and for what cannot be stored."""
    wrong = {name: said for name, text in edit.texts().items() if (said := _wrong_text(name, text))}
    if edit.name is not None and not edit.name.strip():
        wrong["name"] = "A retriever needs a name."
    if said := wrong_tags([*edit.tags_add, *edit.tags_remove]):
        wrong["tags"] = said
    if wrong:
        raise Unacceptable(wrong)


def wrong_tags(given: Iterable[str]) -> str:
    """Return what is wrong with some tags in one sentence, or ""."""
    listed = list(given)
    if len(listed) > MOST_TAGS:
        return f"No more than {MOST_TAGS} tags at a time."
    if any(not tag.strip() for tag in listed):
        return "A tag cannot be blank."
    if any(len(tag) > LONGEST_TAG for tag in listed):
        return f"A tag has {LONGEST_TAG} characters at most."
    return "A tag holds characters that cannot be stored." if any(map(UNSTORABLE.search, listed)) else ""


def _wrong_text(name: str, text: str) -> str:
    if len(text) > LONGEST[name]:
        return f"This has {LONGEST[name]:,} characters at most; it has {len(text):,}."
    return "This holds characters that cannot be stored." if UNSTORABLE.search(text) else ""


def merge(edit: Edit, now: Mapping[str, Any]) -> Merge:
    """Return name and description put together from what the person saw, what they want, and what stands now."""
    seen = {name: edit.base.get(name, now[name]) for name in TEXTS}
    return three_way(base=seen, mine=seen | edit.texts(), theirs={name: now[name] for name in TEXTS})


def settled(stale: Stale) -> tuple[str, ...]:
    """Return in a sentence for each text what merges by itself."""
    return (
        *(f"Only you changed the {name}: it stays as you have it." for name in stale.only_mine),
        *(f"Only they changed the {name}: taken over." for name in stale.only_theirs),
    )


def wanted(edit: Edit, now: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the change that brings `now` to what the edit wants; {} when it is so already."""
    values = merge(edit, now).values
    fields: dict[str, Any] = {name: value for name, value in values.items() if not same(value, now[name])}
    retagged = tags.delta(now["tags"], add=edit.tags_add, remove=edit.tags_remove)
    return fields | ({"tags": retagged} if retagged else {})


def applied(fields: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` with a change's fields on top, its tags merged in."""
    shown = {**values, **{name: fields[name] for name in TEXTS if name in fields}}
    if "tags" in fields:
        shown["tags"] = tags.merged(shown["tags"], fields["tags"])
    return shown
