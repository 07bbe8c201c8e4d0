"""What a null in an edit of an annotation does.

The public reference does not say, so the sandbox can do each of these:

clear     the field becomes null
ignore    the field keeps its value; a PATCH of nothing else makes no version
refuse    422, with one complaint for each null

This is about `confidence`, `reasoning`, `payload` and `metadata`. A null label counts as not given
in every mode, and an empty `reasoning` is a value like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tools.sandbox.rules.validation import Field, Json

CLEAR = "clear"
IGNORE = "ignore"
REFUSE = "refuse"
MODES = (CLEAR, IGNORE, REFUSE)
_IGNORED_FIELDS = {"label"}


class NullPolicy:
    """The mode of one sandbox; `/_sandbox/null` switches it while the sandbox runs."""

    def __init__(self, mode: str = CLEAR) -> None:
        self.mode = mode
        self._initial_mode = mode

    def reset(self) -> None:
        """Return to the mode the sandbox was started with."""
        self.mode = self._initial_mode

    def accepted_fields(self, fields: Mapping[str, Field]) -> Mapping[str, Field]:
        """Return the declarations an edit is checked against."""
        if self.mode != REFUSE:
            return fields
        clearable = {key: field for key, field in fields.items() if key not in _IGNORED_FIELDS}
        refusing = {key: replace(field, nullable=False) for key, field in clearable.items()}
        return {**fields, **refusing}

    def values_to_set(self, values: Json) -> Json:
        """Return what an accepted edit sets."""
        set_values = {}
        for key, value in values.items():
            is_clearable = self.mode != IGNORE and key not in _IGNORED_FIELDS
            if value is not None or is_clearable:
                set_values[key] = value
        return set_values
