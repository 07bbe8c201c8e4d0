"""An edit of a retriever: its validation, its merge, and the change it results in. Pure.

`values` are always `{"name": str, "description": str, "tags": [str]}`, the editable fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from reviewapp.json_values import is_same_json
from reviewapp.naming import same_key, tidy, unwritable
from reviewapp.outbox.merge import Merge, three_way
from reviewapp.retrievers.editing import tags
from reviewapp.storable import is_storable

RETRIEVER_FIELDS = ("name", "description", "tags")
TEXTS = ("name", "description")
MAX_LENGTH = {"name": 200, "description": 10_000}
MAX_TAG_LENGTH = 100
MAX_TAGS = 100


class InvalidEdit(Exception):
    """The edit is invalid; `fields` holds an error message for each invalid field."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = dict(fields)


class NameTaken(InvalidEdit):
    """Another mirrored retriever has this name; upstream would answer 409."""


class StaleEdit(Exception):
    """Somebody changed the same name or description since the form was rendered.

    Show base, mine and theirs. `conflicts` names the fields, `merged` is mine with the fields that
    only they changed. Tags never conflict: they are added and removed, not set.
    """

    def __init__(
        self,
        ref: str,
        *,
        base: dict[str, Any],
        mine: dict[str, Any],
        theirs: dict[str, Any],
        merge: Merge,
    ) -> None:
        super().__init__(f"{ref} was changed meanwhile: {', '.join(merge.conflicts)}")
        self.base = base
        self.mine = mine
        self.theirs = theirs
        self.conflicts = list(merge.conflicts)
        self.merged = merge.values
        self.only_mine = merge.mine_only
        self.only_theirs = tuple(merge.theirs_only)


@dataclass(frozen=True, kw_only=True)
class RetrieverEdit:
    """A person's edit of a retriever; None and empty tuples leave a field unchanged.

    `edit_id` is created with the form; the same id sent again is the same edit. `base` holds name,
    description and tags as the person saw them; a missing field counts as seen with its current
    value. `answers` is the key of the conflicting or refused change that this edit resolves.
    """

    edit_id: UUID
    name: str | None = None
    description: str | None = None
    tags_add: tuple[str, ...] = ()
    tags_remove: tuple[str, ...] = ()
    base: Mapping[str, Any] = field(default_factory=dict)
    answers: int | None = None

    def texts(self) -> dict[str, str]:
        """Return the name and the description, without those left unchanged."""
        texts = {"name": self.name, "description": self.description}
        return {name: text for name, text in texts.items() if text is not None}


def check_edit(edit: RetrieverEdit) -> None:
    """Raise `InvalidEdit` for a blank name, and for values that are too long or not storable."""
    errors = {}
    for name, text in edit.texts().items():
        max_length = MAX_LENGTH[name]
        if len(text) > max_length:
            limits = {"most": f"{max_length:,}", "length": f"{len(text):,}"}
            errors[name] = _("Use at most %(most)s characters (this has %(length)s).") % limits
        elif not is_storable(text):
            errors[name] = _("Remove the characters that cannot be stored.")
    if edit.name is not None and edit.name != edit.base.get("name"):
        if not same_key(edit.name):
            errors["name"] = _("Enter a name.")
        elif unwritable(edit.name) and "name" not in errors:
            errors["name"] = unwritable(edit.name)

    error = tags_error(edit.tags_add, edit.tags_remove)
    if error:
        errors["tags"] = error

    if errors:
        raise InvalidEdit(errors)


def tags_error(add: Sequence[str], remove: Sequence[str] = ()) -> str:
    """Return an error message about the tags to add and to remove, "" if they are valid.

    Mixpeek's tags can be removed whatever they are.
    """
    if len(add) + len(remove) > MAX_TAGS:
        return _("Add and remove at most %(most)s tags at a time.") % {"most": MAX_TAGS}
    if not is_storable([*add, *remove]):
        return _("Remove the characters that cannot be stored from the tags.")

    first: dict[str, str] = {}
    for tag in add:
        error = _tag_error(tag)
        if error:
            return error
        other = first.setdefault(same_key(tag), tag)
        if other != tag:
            tags = {"tag": tag, "other": other}
            return _("“%(tag)s” is too like “%(other)s”. Add only one of them.") % tags
    return ""


def _tag_error(tag: str) -> str:
    if not same_key(tag):
        return _("A tag cannot be blank.")
    if len(tag) > MAX_TAG_LENGTH:
        return _("A tag can have at most %(most)s characters.") % {"most": MAX_TAG_LENGTH}
    return unwritable(tag)


def merge(edit: RetrieverEdit, current: Mapping[str, Any]) -> Merge:
    """Return the three-way merge of name and description with the current values."""
    base = {name: edit.base.get(name, current[name]) for name in TEXTS}
    theirs = {name: current[name] for name in TEXTS}
    mine = base | edit.texts()
    if mine["name"] not in (base["name"], theirs["name"]):
        mine["name"] = tidy(mine["name"])
    return three_way(base=base, mine=mine, theirs=theirs)


def merge_sentences(stale: StaleEdit) -> tuple[str, ...]:
    """Return a sentence for each text that was merged without a conflict."""
    mine = {
        "name": _("Only you changed the name; yours is kept."),
        "description": _("Only you changed the description; yours is kept."),
    }
    theirs = {
        "name": _("Only they changed the name; theirs is used."),
        "description": _("Only they changed the description; theirs is used."),
    }
    kept = [mine[name] for name in stale.only_mine]
    return (*kept, *(theirs[name] for name in stale.only_theirs))


def change_fields(edit: RetrieverEdit, current: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the change from the current values to the edit; {} if none differ."""
    fields: dict[str, Any] = {}
    for name, value in merge(edit, current).values.items():
        if not is_same_json(value, current[name]):
            fields[name] = value

    tag_delta = tags.tag_delta(current["tags"], add=edit.tags_add, remove=edit.tags_remove)
    if tag_delta:
        fields["tags"] = tag_delta
    return fields


def apply_change(fields: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` with the fields of a change applied, its tags merged in."""
    result = dict(values)
    for name in TEXTS:
        if name in fields:
            result[name] = fields[name]
    if "tags" in fields:
        result["tags"] = tags.apply_tag_delta(result["tags"], fields["tags"])
    return result
