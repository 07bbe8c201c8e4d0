"""State of the form that edits a retriever: new, resumed, or in conflict. Pure but for new ids."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from reviewapp.outbox.models import Change
from reviewapp.retrievers.editing.edit import TEXTS, StaleEdit
from reviewapp.retrievers.editing.tags import ADD, REMOVE, tag_delta
from reviewapp.retrievers.models import Retriever
from reviewapp.web.conflicts import ConflictChoice

_LEGENDS = {
    "name": _("Which name do you want to keep?"),
    "description": _("Which description do you want to keep?"),
}


@dataclass(frozen=True, kw_only=True)
class EditFormState:
    """The form's own id, the base it was rendered from, and the values of its fields.

    `removed` are the tags of the base to remove, `added` the tags to add. After a conflict, `was`
    is the base that the form started from, older than `base`, and `conflicts` the choices by text.
    """

    edit_id: str
    base: dict[str, Any]
    name: str
    description: str
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    answers: str = ""
    was: dict[str, Any] | None = None
    conflicts: Mapping[str, ConflictChoice] = field(default_factory=dict)

    @property
    def was_json(self) -> str:
        """The original base for the hidden field, "" when there was no conflict."""
        if self.was:
            return json.dumps(self.was)
        return ""

    @property
    def base_json(self) -> str:
        """The base for the hidden field."""
        return json.dumps(self.base)

    @property
    def tags(self) -> list[tuple[str, bool]]:
        """Each tag of the base, and whether it is to be removed."""
        return [(tag, tag in self.removed) for tag in dict.fromkeys(self.base["tags"])]


def new_draft(retriever: Retriever) -> EditFormState:
    """Return an unchanged form."""
    return EditFormState(
        edit_id=str(uuid.uuid4()),
        base=retriever.values(),
        name=retriever.name,
        description=retriever.description,
    )


def draft_from_change(retriever: Retriever, change: Change) -> EditFormState:
    """Return a form with the fields of a refused or conflicting change."""
    return draft_from_fields(retriever, change.fields, answers=str(change.pk))


def draft_from_fields(
    retriever: Retriever,
    fields: Mapping[str, Any],
    *,
    answers: str = "",
) -> EditFormState:
    """Return a form with the fields of a change, on top of the retriever's current values."""
    texts = {name: fields[name] for name in TEXTS if name in fields}
    tags = fields.get("tags", {ADD: (), REMOVE: ()})
    delta = tag_delta(retriever.tags, add=tags[ADD], remove=tags[REMOVE])
    return replace(
        new_draft(retriever),
        **texts,
        added=tuple(delta.get(ADD, ())),
        removed=tuple(delta.get(REMOVE, ())),
        answers=answers,
    )


def draft_with_conflicts(draft: EditFormState, stale: StaleEdit) -> EditFormState:
    """Return the form on the new base.

    Conflicting texts stay as typed, other texts are merged, and tags stay as marked.
    """
    texts = {name: stale.merged[name] for name in TEXTS}
    conflicts = {}
    for name in stale.conflicts:
        texts[name] = getattr(draft, name)
        conflicts[name] = conflict_choice(
            name,
            base=stale.base,
            mine=stale.mine,
            theirs=stale.theirs,
        )

    return replace(
        draft,
        edit_id=str(uuid.uuid4()),
        base=stale.theirs,
        was=stale.base,
        conflicts=conflicts,
        **texts,
    )


def conflict_choice(
    name: str,
    *,
    base: Mapping[str, str],
    mine: Mapping[str, str],
    theirs: Mapping[str, str],
) -> ConflictChoice:
    """Return the choice between mine and theirs for a name or description, not made yet."""
    return ConflictChoice(
        field=name,
        legend=str(_LEGENDS[name]),
        base=base[name],
        mine=mine[name],
        theirs=theirs[name],
    )


def draft_with_new_id(draft: EditFormState, retriever: Retriever) -> EditFormState:
    """Return the form with a new id, on the retriever's current values."""
    return replace(draft, edit_id=str(uuid.uuid4()), base=retriever.values())
