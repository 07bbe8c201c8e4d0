"""The form of the label editor: rows, settings, and the version it was opened on. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.http import QueryDict

from reviewapp.retrievers.guidance import label_rows, labels
from reviewapp.retrievers.guidance.form_settings import FormSettings
from reviewapp.retrievers.guidance.label_rows import Row
from reviewapp.retrievers.guidance.label_set_content import LabelSetContent
from reviewapp.web.http import parse_whole_number


@dataclass(frozen=True, kw_only=True)
class LabelForm:
    """What the editor holds.

    `base_version` is the version that its user has seen and that saving replaces (0: none). After
    somebody else has saved a newer one, `is_conflict` keeps that version beside the form.
    """

    rows: list[Row]
    other_allowed: bool
    settings: FormSettings
    base_version: int
    is_conflict: bool = False

    @property
    def content(self) -> LabelSetContent:
        """The label set that the rows and settings make."""
        return LabelSetContent(
            labels=tuple(label_rows.labels(self.rows)),
            other_allowed=self.other_allowed,
            settings=self.settings,
        )

    def with_errors(self) -> LabelForm:
        """Return the form with an error at each invalid row."""
        errors = labels.problems(self.content.labels)
        return replace(self, rows=label_rows.with_errors(self.rows, errors))

    def on_newer_version(self, version: int) -> LabelForm:
        """Return the form as it was typed, to be saved on top of a newer version."""
        return replace(self, base_version=version, is_conflict=True)


def from_content(content: LabelSetContent, *, version: int) -> LabelForm:
    """Return an untouched form."""
    return LabelForm(
        rows=label_rows.rows_of(content.labels),
        other_allowed=content.other_allowed,
        settings=content.settings,
        base_version=version,
    )


def read_label_form(data: QueryDict) -> LabelForm:
    """Return the form that was submitted; what cannot be read counts as missing."""
    return LabelForm(
        rows=label_rows.read_label_rows(data),
        other_allowed=bool(data.get("other_allowed")),
        settings=FormSettings.read(data),
        base_version=parse_whole_number(data.get("base_version", "")) or 0,
        is_conflict=bool(data.get("is_conflict")),
    )
