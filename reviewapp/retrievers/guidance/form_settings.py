"""The settings of a decision form: its initial label and the required fields. Pure.

A label set holds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

_Choices = TypeVar("_Choices", bound=models.TextChoices)


class StartsFrom(models.TextChoices):
    """Which label is chosen in the form of an item that nobody has decided."""

    MACHINE = "machine", _("the machine's label")
    NOTHING = "nothing", _("nothing chosen")


class Required(models.TextChoices):
    """When a person must give a value."""

    NEVER = "never", _("never")
    RELABELLED = "relabelled", _("when relabelled")
    ALWAYS = "always", _("always")


@dataclass(frozen=True, kw_only=True)
class FormSettings:
    """What a form starts from, and when a person must give a reasoning and a confidence."""

    starts_from: StartsFrom = StartsFrom.MACHINE
    reasoning_required: Required = Required.NEVER
    confidence_required: Required = Required.NEVER

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """Return the settings in a form's data or a row; defaults for missing or unknown values."""
        return cls(
            starts_from=_choice(StartsFrom, data.get("starts_from"), StartsFrom.MACHINE),
            reasoning_required=_choice(Required, data.get("reasoning_required"), Required.NEVER),
            confidence_required=_choice(Required, data.get("confidence_required"), Required.NEVER),
        )

    def values(self) -> dict[str, StartsFrom | Required]:
        """Return the settings by name."""
        return {name: getattr(self, name) for name in SETTINGS}

    def sentences(self) -> list[str]:
        """Return a sentence for each setting that is not the default."""
        sentences = []
        if self.starts_from == StartsFrom.NOTHING:
            sentences.append(gettext("The form starts without a label."))
        if self.reasoning_required != Required.NEVER:
            when = {"when": self.reasoning_required.label}
            sentences.append(gettext("Reasoning is required %(when)s.") % when)
        if self.confidence_required != Required.NEVER:
            when = {"when": self.confidence_required.label}
            sentences.append(gettext("Confidence is required %(when)s.") % when)
        return sentences

    def notes(self) -> dict[str, str]:
        """Return a note for each required field, such as "required when relabelled"."""
        required = {"reasoning": self.reasoning_required, "confidence": self.confidence_required}
        texts = {
            Required.RELABELLED: gettext("required when relabelled"),
            Required.ALWAYS: gettext("required"),
        }
        return {name: texts[when] for name, when in required.items() if when in texts}

    def missing_words(self, words: Mapping[str, Any], *, relabels: bool) -> dict[str, str]:
        """Return a sentence for each field that a person must give and that is blank in `words`."""
        missing = {}
        for name in ("reasoning", "confidence"):
            when = getattr(self, f"{name}_required")
            is_required = when == Required.ALWAYS or (when == Required.RELABELLED and relabels)
            is_blank = words[name] is None or not str(words[name]).strip()
            if is_required and is_blank:
                missing[name] = str(_MISSING[name, when])
        return missing


SETTINGS = tuple(field.name for field in fields(FormSettings))
TITLES = {
    "starts_from": _("The form starts from"),
    "reasoning_required": _("Reasoning is required"),
    "confidence_required": _("Confidence is required"),
}
_MISSING = {
    ("reasoning", Required.ALWAYS): _("This retriever requires a reasoning."),
    ("reasoning", Required.RELABELLED): _(
        "This retriever requires a reasoning when you change the label."
    ),
    ("confidence", Required.ALWAYS): _("This retriever requires a confidence."),
    ("confidence", Required.RELABELLED): _(
        "This retriever requires a confidence when you change the label."
    ),
}
# The settings without a label set.
DEFAULT = FormSettings()


def _choice(choices: type[_Choices], value: object, default: _Choices) -> _Choices:
    if value in choices.values:
        return choices(value)
    return default
