"""What the browser sends to be kept as a draft: any text, well formed or not, but bounded and from a form of ours."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from reviewapp.annotations.decide.forms import read_base
from reviewapp.annotations.drafts.services import Typed

MOST_CHARACTERS = 256 * 1024
_TEXTS = ("result_id", "base_version", "opened", "choice", "label", "confidence", "reasoning", "payload", "outcome")


class DraftForm(forms.Form):
    """A decision form that is not finished; `was_base` is what its writer began from when `base` is newer by now."""

    decision_id = forms.UUIDField()
    base = forms.CharField()
    was_base = forms.CharField(required=False)
    draft = forms.UUIDField(required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        for name in _TEXTS:
            self.fields[name] = forms.CharField(required=False, strip=False)

    def clean(self) -> dict[str, Any]:
        """Hold the whole to its bound, and the base to the shape that ours have."""
        if sum(len(str(text)) for text in self.cleaned_data.values()) > MOST_CHARACTERS:
            raise ValidationError(f"This is too much to be kept as a draft: at most {MOST_CHARACTERS:,} characters.")
        base = self.cleaned_data.get("was_base") or self.cleaned_data.get("base")
        if base:
            self.cleaned_data["base"] = read_base(base)
        return self.cleaned_data

    def typed(self) -> Typed:
        """Return what is to be kept; only after `is_valid()`."""
        data = self.cleaned_data
        texts = {name: data[name] for name in _TEXTS}
        decision_id: UUID = data["decision_id"]
        return Typed(texts=texts, base=data["base"], decision_id=decision_id, seen=data["draft"])

    def why(self) -> str:
        """Return what is wrong, in one sentence or two."""
        return " ".join(str(sentence) for sentences in self.errors.values() for sentence in sentences)
