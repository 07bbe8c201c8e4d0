"""The form that edits a retriever: what it shows (a `Draft`), and what was typed into it as an `Edit`."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from reviewapp.outbox.models import Change
from reviewapp.retrievers.edits import FIELDS, TEXTS, Edit, Stale
from reviewapp.retrievers.models import Retriever

MINE, THEIRS = "mine", "theirs"
_DAMAGED = "This form is damaged. Copy what you typed, reload the page and save again."
_LONGEST_BASE = 1024 * 1024
_BETWEEN = re.compile(r"[,\n\r]+")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What the form holds: its own id, what it was rendered from, and what stands in its fields.

    `removed` are tags of the base that are marked to go, `added` those that are to come.
    """

    edit_id: str
    base: dict[str, Any]
    name: str
    description: str
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    answers: str = ""

    @property
    def base_json(self) -> str:
        """The base as the form carries it."""
        return json.dumps(self.base)

    @property
    def tags(self) -> list[tuple[str, bool]]:
        """Each tag of the base, and whether it is marked to go."""
        return [(tag, tag in self.removed) for tag in dict.fromkeys(self.base["tags"])]


class EditForm(forms.Form):
    """What a person wants of a retriever; `keep_<field>` says whose text stands after somebody was faster."""

    edit_id = forms.UUIDField(error_messages={"required": _DAMAGED, "invalid": _DAMAGED})
    base = forms.CharField(error_messages={"required": _DAMAGED}, max_length=_LONGEST_BASE)
    answers = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    name = forms.CharField(required=False)
    description = forms.CharField(required=False, strip=False)
    keep_name = forms.CharField(required=False)
    keep_description = forms.CharField(required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        # A tag may hold a comma: those that stand by themselves are taken as they are.
        alone = (tag.strip() for tag in data.getlist("add_exactly"))
        self.added = tuple(dict.fromkeys([*filter(None, alone), *several(data.getlist("add"))]))
        self.removed = tuple(data.getlist("remove"))

    def clean_base(self) -> dict[str, Any]:
        """Hold the base to the shape that `Retriever.values()` has."""
        try:
            base = json.loads(self.cleaned_data["base"])
        except (ValueError, RecursionError) as error:
            raise ValidationError(_DAMAGED) from error
        if not _is_base(base):
            raise ValidationError(_DAMAGED)
        return dict(base)

    def edit(self) -> Edit:
        """Return what was asked for; only after `is_valid()`."""
        data = self.cleaned_data
        return Edit(
            edit_id=data["edit_id"],
            **{name: self._text(name) for name in TEXTS},
            tags_add=self.added,
            tags_remove=self.removed,
            base=data["base"],
            answers=data["answers"],
        )

    def draft(self, retriever: Retriever) -> Draft:
        """Return the form as it was typed, to be shown again."""
        base = self.cleaned_data.get("base") or retriever.values()
        return replace(
            opening(retriever),
            edit_id=self.data.get("edit_id", ""),
            base=base,
            name=self.data.get("name", ""),
            description=self.data.get("description", ""),
            removed=self.removed,
            added=self.added,
            answers=self.data.get("answers", ""),
        )

    def _text(self, name: str) -> str:
        base: str = self.cleaned_data["base"][name]
        text: str = self.cleaned_data[name]
        same = self.cleaned_data[f"keep_{name}"] == THEIRS or _lines(text) == _lines(base)
        return base if same else _lines(text)


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
    return replace(draft, edit_id=str(uuid.uuid4()), base=now, **texts)


def anew(draft: Draft, retriever: Retriever) -> Draft:
    """Return the form with an id of its own, over the retriever as it stands."""
    return replace(draft, edit_id=str(uuid.uuid4()), base=retriever.values())


def several(typed: Iterable[str]) -> tuple[str, ...]:
    """Return the tags in some fields, each of which may hold several, with commas or one a line."""
    parts = (part.strip() for text in typed for part in _BETWEEN.split(text))
    return tuple(dict.fromkeys(part for part in parts if part))


def _is_base(base: Any) -> bool:
    if not isinstance(base, dict) or set(base) != set(FIELDS):
        return False
    texts = [base[name] for name in TEXTS]
    return isinstance(base["tags"], list) and all(isinstance(text, str) for text in (*texts, *base["tags"]))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
