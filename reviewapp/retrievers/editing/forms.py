"""The form that edits a retriever: its data as a `RetrieverEdit`, or as an `EditFormState`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from reviewapp.naming import tidy
from reviewapp.retrievers.editing.edit import RETRIEVER_FIELDS, TEXTS, RetrieverEdit
from reviewapp.retrievers.editing.form_state import EditFormState, conflict_choice, new_draft
from reviewapp.retrievers.editing.tag_text import split_tags
from reviewapp.retrievers.models import Retriever
from reviewapp.storable import is_storable
from reviewapp.web.conflicts import (
    UNCHOSEN,
    ConflictChoice,
    fields_without_choice,
    takes_theirs,
)

_DAMAGED = _("This form is damaged. Copy your text, reload the page and save again.")
_MAX_BASE_LENGTH = 1024 * 1024


class EditForm(forms.Form):
    """An edit of a retriever.

    After a conflict, `asked` names the conflicting texts, `keep_<field>` is the choice between mine
    and theirs, and `was_base` is the base that the form started from, older than `base`.
    """

    edit_id = forms.UUIDField(error_messages={"required": _DAMAGED, "invalid": _DAMAGED})
    base = forms.CharField(error_messages={"required": _DAMAGED}, max_length=_MAX_BASE_LENGTH)
    was_base = forms.CharField(required=False, max_length=_MAX_BASE_LENGTH)
    answers = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    name = forms.CharField(required=False)
    description = forms.CharField(required=False, strip=False)
    keep_name = forms.CharField(required=False)
    keep_description = forms.CharField(required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        # A tag may hold a comma: those in `add_exactly` are not split.
        exact = [tidy(tag) for tag in data.getlist("add_exactly")]
        typed = split_tags(data.getlist("add"))
        self.added = tuple(dict.fromkeys([*filter(None, exact), *typed]))
        self.removed = tuple(data.getlist("remove"))
        asked = data.getlist("asked")
        self.asked = tuple(name for name in TEXTS if name in asked)

    def clean_base(self) -> dict[str, Any]:
        """Require the shape of `Retriever.values()`."""
        return _read_base(self.cleaned_data["base"])

    def clean_was_base(self) -> dict[str, Any] | None:
        """Require the same shape; None when there was no conflict."""
        text = self.cleaned_data["was_base"]
        if text:
            return _read_base(text)
        return None

    def clean(self) -> dict[str, Any]:
        """Require a choice for every conflict."""
        for name in fields_without_choice(self.data, self.conflicts()):
            self.add_error(f"keep_{name}", UNCHOSEN)
        return self.cleaned_data

    def conflicts(self) -> dict[str, ConflictChoice]:
        """Return the conflict choices by text, except for texts that equal theirs by now."""
        theirs = self.cleaned_data.get("base")
        if theirs is None:
            return {}
        base = self.cleaned_data.get("was_base") or theirs
        mine = {name: _normalize_lines(self.data.get(name, "")) for name in self.asked}

        conflicts = {}
        for name in self.asked:
            if mine[name] == _normalize_lines(theirs[name]):
                continue
            choice = conflict_choice(name, base=base, mine=mine, theirs=theirs)
            conflicts[name] = replace(
                choice,
                chosen=self.data.get(choice.name, ""),
                is_missing=choice.name in self.errors,
            )
        return conflicts

    def edit(self) -> RetrieverEdit:
        """Return the edit; only after `is_valid()`."""
        data = self.cleaned_data
        return RetrieverEdit(
            edit_id=data["edit_id"],
            name=self._text("name"),
            description=self._text("description"),
            tags_add=self.added,
            tags_remove=self.removed,
            base=data["base"],
            answers=data["answers"],
        )

    def draft(self, retriever: Retriever) -> EditFormState:
        """Return the submitted form, to be shown again."""
        base = self.cleaned_data.get("base") or retriever.values()
        return replace(
            new_draft(retriever),
            edit_id=self.data.get("edit_id", ""),
            base=base,
            name=self.data.get("name", ""),
            description=self.data.get("description", ""),
            removed=self.removed,
            added=self.added,
            answers=self.data.get("answers", ""),
            was=self.cleaned_data.get("was_base") or None,
            conflicts=self.conflicts(),
        )

    def _text(self, name: str) -> str:
        base: str = self.cleaned_data["base"][name]
        text = _normalize_lines(self.cleaned_data[name])
        is_unchanged = text == _normalize_lines(base)
        if is_unchanged or takes_theirs(self.cleaned_data, name):
            return base
        return text


def _read_base(text: str) -> dict[str, Any]:
    try:
        base = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValidationError(_DAMAGED) from error
    if not isinstance(base, dict) or set(base) != set(RETRIEVER_FIELDS):
        raise ValidationError(_DAMAGED)
    if not isinstance(base["tags"], list):
        raise ValidationError(_DAMAGED)
    for value in (base["name"], base["description"], *base["tags"]):
        if not isinstance(value, str) or not is_storable(value):
            raise ValidationError(_DAMAGED)
    return base


def _normalize_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
