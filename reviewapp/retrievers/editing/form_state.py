"""What the form that edits a retriever shows: opened, taken up anew, or overtaken. Pure but for a fresh id."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reviewapp.outbox.models import Change
from reviewapp.retrievers.conflict_choice import Keep
from reviewapp.retrievers.editing.edit import TEXTS, Stale
from reviewapp.retrievers.models import Retriever


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What the form holds: its own id, what it was rendered from, and what stands in its fields.

    `removed` are tags of the base that are marked to go, `added` those that are to come. After somebody was faster,
    `was` is what it began from, older than `base`, and `keeps` what is asked, by text.
    """

    edit_id: str
    base: dict[str, Any]
    name: str
    description: str
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    answers: str = ""
    was: dict[str, Any] | None = None
    keeps: Mapping[str, Keep] = field(default_factory=dict)

    @property
    def was_json(self) -> str:
        """What the form began from as it carries it, "" when that is its base."""
        return json.dumps(self.was) if self.was else ""

    @property
    def base_json(self) -> str:
        """The base as the form carries it."""
        return json.dumps(self.base)

    @property
    def tags(self) -> list[tuple[str, bool]]:
        """Each tag of the base, and whether it is marked to go."""
        return [(tag, tag in self.removed) for tag in dict.fromkeys(self.base["tags"])]


def opening(retriever: Retriever) -> Draft:
    """Return an untouched form."""
    return Draft(
        edit_id=str(uuid.uuid4()), base=retriever.values(), name=retriever.name, description=retriever.description
    )


def mending(retriever: Retriever, change: Change) -> Draft:
    """Return a form that says again what a change said which came to nothing."""
    return wishing(retriever, change.fields, answers=str(change.pk))


def wishing(retriever: Retriever, fields: Mapping[str, Any], *, answers: str = "") -> Draft:
    """Return a form in which the fields of a change stand, over the retriever as it is now."""
    tags = fields.get("tags", {"add": (), "remove": ()})
    return replace(
        opening(retriever),
        **{name: fields[name] for name in TEXTS if name in fields},
        added=tuple(tag for tag in tags["add"] if tag not in retriever.tags),
        removed=tuple(tag for tag in tags["remove"] if tag in retriever.tags),
        answers=answers,
    )


def overtaken(draft: Draft, stale: Stale) -> Draft:
    """Return the form over the new base: texts both set as typed, texts only they set as theirs, tags as marked."""
    now = stale.theirs
    texts = {name: getattr(draft, name) if name in stale.conflicts else stale.merged[name] for name in TEXTS}
    sides = {"base": stale.base, "mine": stale.mine, "theirs": now}
    keeps = {name: keep_of(name, **sides) for name in stale.conflicts}
    return replace(draft, edit_id=str(uuid.uuid4()), base=now, was=stale.base, keeps=keeps, **texts)


def keep_of(name: str, *, base: Mapping[str, str], mine: Mapping[str, str], theirs: Mapping[str, str]) -> Keep:
    """Return the question whose name or description stands, not answered yet."""
    sides = {"base": base[name], "mine": mine[name], "theirs": theirs[name]}
    return Keep(key=name, name=f"keep_{name}", legend=f"Whose {name} stands?", **sides)


def anew(draft: Draft, retriever: Retriever) -> Draft:
    """Return the form with an id of its own, over the retriever as it stands."""
    return replace(draft, edit_id=str(uuid.uuid4()), base=retriever.values())
