"""The form of an export: what, in which format, and of which filter."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.annotations.exports.filters import ExportKind, filter_problems
from reviewapp.annotations.exports.formats import Format
from reviewapp.web.filters import ZoneField


class ExportForm(forms.Form):
    """What to export.

    `filter` is the query string of the page of decisions or of the history. `grades` says which
    number each label is in qrels. `zone` is the reader's, for the times in the file.
    """

    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=ExportKind.choices)
    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=Format.choices)
    filter = forms.CharField(required=False, max_length=4000)
    with_snapshot = forms.BooleanField(
        label=gettext_lazy("With the documents, as they were on the screen (JSON Lines)"),
        required=False,
    )
    grades = forms.CharField(
        label=gettext_lazy("Grades of labels for qrels"), required=False, max_length=4000
    )
    zone = ZoneField()

    def clean_grades(self) -> dict[str, int]:
        """Parse `label=2, other label=1` into the grades by label."""
        grades = {}
        for part in filter(str.strip, self.cleaned_data["grades"].split(",")):
            label, _sign, number = part.rpartition("=")
            if not label.strip() or not number.strip().isdecimal():
                raise forms.ValidationError(_("Write labels with their numbers: real=2, unsure=1."))
            grades[label.strip()] = int(number)
        return grades

    def clean(self) -> dict[str, Any]:
        """Check that the kind has this format and this filter."""
        data = self.cleaned_data
        kind = data.get("kind")
        if data.get("format") == Format.QRELS and kind != ExportKind.LABELS:
            self.add_error("format", _("Qrels hold current labels: choose *Current labels*."))
        if data.get("format") == Format.QRELS and not data.get("grades"):
            self.add_error("grades", _("Write labels with their numbers: real=2, unsure=1."))

        if kind:
            for problem in filter_problems(kind, data.get("filter", "")):
                self.add_error("filter", problem)
        return data
