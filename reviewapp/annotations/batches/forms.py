"""The forms of a batch: the values for each item, and what its person was shown."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from reviewapp.annotations import parsing
from reviewapp.annotations.batches.fingerprints import DamagedEntries, read_entries
from reviewapp.annotations.batches.services import MAX_ITEMS, BatchValues

_DAMAGED = _("This form is damaged, so nothing was decided. Select the items again.")


class BatchForm(forms.Form):
    """The values that each item gets; a blank label leaves each its own."""

    label = forms.CharField(label=_("Label"), required=False, strip=False)
    confidence = forms.CharField(label=_("Confidence"), required=False)
    reasoning = forms.CharField(label=_("Reasoning"), required=False, strip=False)
    query = forms.CharField(required=False)

    def clean_label(self) -> str:
        """Parse the label, if there is one."""
        text = self.cleaned_data["label"].strip()
        if not text:
            return ""
        try:
            return parsing.label(text)
        except parsing.InvalidValue as error:
            raise ValidationError(str(error)) from error

    def clean_confidence(self) -> float | None:
        """Parse the confidence, None for blank."""
        try:
            return parsing.confidence(self.cleaned_data["confidence"])
        except parsing.InvalidValue as error:
            raise ValidationError(str(error)) from error

    def clean_reasoning(self) -> str:
        """Parse the reasoning."""
        try:
            return parsing.reasoning(self.cleaned_data["reasoning"])
        except parsing.InvalidValue as error:
            raise ValidationError(str(error)) from error

    def values(self) -> BatchValues:
        """Return the values. Call it only after `is_valid()`."""
        data = self.cleaned_data
        return BatchValues(
            label=data["label"], confidence=data["confidence"], reasoning=data["reasoning"]
        )


class StartForm(BatchForm):
    """The values of a preview, and what it showed of each item."""

    shown = forms.CharField(error_messages={"required": _DAMAGED})

    def clean_shown(self) -> Mapping[int, str]:
        """Parse what was shown, by key."""
        try:
            entries = read_entries(self.cleaned_data["shown"])
        except DamagedEntries as error:
            raise ValidationError(_DAMAGED) from error
        if len(entries) > MAX_ITEMS:
            raise ValidationError(_DAMAGED)
        return entries

    def entries(self) -> Mapping[int, str]:
        """Return what was shown, by key. Call it only after `is_valid()`."""
        entries: Mapping[int, str] = self.cleaned_data["shown"]
        return entries
