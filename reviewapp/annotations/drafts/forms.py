"""Validate what the browser sends as a draft: any text, but of bounded size, with a valid base."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from reviewapp.annotations.decide.form_base import parse_base
from reviewapp.annotations.drafts.services import DraftInput
from reviewapp.annotations.fields import FIELDS

MAX_CHARACTERS = 256 * 1024
_TEXT_FIELDS = (
    "result_id",
    "base_version",
    "opened",
    "choice",
    *FIELDS,
    "outcome",
)


class DraftForm(forms.Form):
    """An unfinished decision form; `was_base` is the base it started from if `base` is newer.

    The base is not compared with anything yet, so it keeps the digests of its long values.
    """

    decision_id = forms.UUIDField()
    base = forms.CharField()
    was_base = forms.CharField(required=False)
    draft = forms.UUIDField(required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        for name in _TEXT_FIELDS:
            self.fields[name] = forms.CharField(required=False, strip=False)

    def clean(self) -> dict[str, Any]:
        """Check the size of the whole form, and parse the base it started from."""
        size = sum(len(str(text)) for text in self.cleaned_data.values())
        if size > MAX_CHARACTERS:
            message = _(
                "A draft can have at most %(limit)s characters. Submit this or make it shorter."
            )
            raise ValidationError(message % {"limit": f"{MAX_CHARACTERS:,}"})

        base = self.cleaned_data.get("was_base") or self.cleaned_data.get("base")
        if base:
            self.cleaned_data["base"] = parse_base(base)
        return self.cleaned_data

    def draft_input(self) -> DraftInput:
        """Return what to save. Call it only after `is_valid()`."""
        data = self.cleaned_data
        # A field that was not sent was not touched: a long value does not travel.
        unsent = FIELDS.keys() - self.data.keys()
        texts = {name: data[name] for name in _TEXT_FIELDS if name not in unsent}
        decision_id: UUID = data["decision_id"]
        return DraftInput(
            texts=texts,
            base=data["base"],
            decision_id=decision_id,
            known_edition=data["draft"],
        )

    def error_message(self) -> str:
        """Return all errors as one text."""
        sentences: list[str] = []
        for field_errors in self.errors.values():
            sentences.extend(map(str, field_errors))
        return " ".join(sentences)
