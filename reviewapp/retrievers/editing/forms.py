"""The form that edits a retriever: what was typed into it, as an `Edit` or to be shown again as a `Draft`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from reviewapp.retrievers.conflict_choice import THEIRS, UNCHOSEN, Keep
from reviewapp.retrievers.documents.snapshot import UNSTORABLE
from reviewapp.retrievers.editing.edit import FIELDS, TEXTS, Edit
from reviewapp.retrievers.editing.form_state import Draft, keep_of, opening
from reviewapp.retrievers.models import Retriever

_DAMAGED = "This form is damaged. Copy what you typed, reload the page and save again."
_LONGEST_BASE = 1024 * 1024
_BETWEEN = re.compile(r"[,\n\r]+")


class EditForm(forms.Form):
    """What a person wants of a retriever.

    After somebody was faster `asked` names the texts in question, `keep_<field>` says whose stands, and `was_base` is
    what the form began from, older than `base`.
    """

    edit_id = forms.UUIDField(error_messages={"required": _DAMAGED, "invalid": _DAMAGED})
    base = forms.CharField(error_messages={"required": _DAMAGED}, max_length=_LONGEST_BASE)
    was_base = forms.CharField(required=False, max_length=_LONGEST_BASE)
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
        self.asked = tuple(name for name in TEXTS if name in data.getlist("asked"))

    def clean_base(self) -> dict[str, Any]:
        """Hold the base to the shape that `Retriever.values()` has."""
        return _read_base(self.cleaned_data["base"])

    def clean_was_base(self) -> dict[str, Any] | None:
        """Hold what the form began from to the same shape; None when nobody was faster."""
        text = self.cleaned_data["was_base"]
        return _read_base(text) if text else None

    def clean(self) -> dict[str, Any]:
        """Refuse what was asked and is not answered."""
        for name, keep in self.keeps().items():
            if not keep.is_answered:
                self.add_error(f"keep_{name}", UNCHOSEN)
        return self.cleaned_data

    def keeps(self) -> dict[str, Keep]:
        """Return what is asked, by text, and what was chosen; nothing of a text that was typed as theirs by now."""
        theirs = self.cleaned_data.get("base")
        if theirs is None:
            return {}
        base = self.cleaned_data.get("was_base") or theirs
        mine = {name: _lines(self.data.get(name, "")) for name in self.asked}
        open_ = [name for name in self.asked if mine[name] != _lines(theirs[name])]
        return {name: self._keep(name, base=base, mine=mine, theirs=theirs) for name in open_}

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
            was=self.cleaned_data.get("was_base") or None,
            keeps=self.keeps(),
        )

    def _keep(self, name: str, **sides: Mapping[str, str]) -> Keep:
        wrong = UNCHOSEN if f"keep_{name}" in (self.errors) else ""
        return replace(keep_of(name, **sides), chosen=self.data.get(f"keep_{name}", ""), wrong=wrong)

    def _text(self, name: str) -> str:
        base: str = self.cleaned_data["base"][name]
        text: str = self.cleaned_data[name]
        same = self.cleaned_data[f"keep_{name}"] == THEIRS or _lines(text) == _lines(base)
        return base if same else _lines(text)


def several(typed: Iterable[str]) -> tuple[str, ...]:
    """Return the tags in some fields, each of which may hold several, with commas or one a line."""
    parts = (part.strip() for text in typed for part in _BETWEEN.split(text))
    return tuple(dict.fromkeys(part for part in parts if part))


def _read_base(text: str) -> dict[str, Any]:
    try:
        base = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValidationError(_DAMAGED) from error
    if not _is_base(base):
        raise ValidationError(_DAMAGED)
    return dict(base)


def _is_base(base: Any) -> bool:
    if not isinstance(base, dict) or set(base) != set(FIELDS):
        return False
    if not isinstance(base["tags"], list):
        return False
    texts = [*(base[name] for name in TEXTS), *base["tags"]]
    return all(isinstance(text, str) and not UNSTORABLE.search(text) for text in texts)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
