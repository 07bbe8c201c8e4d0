"""Parse the values of a decision from what people type; `fields.py` names the parsers."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _

from reviewapp.annotations import payload as payloads
from reviewapp.json_values import number_text
from reviewapp.naming import tidy
from reviewapp.retrievers.guidance.labels import label_problem

if TYPE_CHECKING:
    from reviewapp.retrievers.models import LabelSet

# In characters.
MAX_REASONING_LENGTH = 5_000

_MAX_SECONDS = 86_400.0
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")


class InvalidValue(ValueError):
    """The text is not a valid value; the message is a sentence for whoever typed it."""


def label(text: str, base: str = "") -> str:
    """Return a label of 1 to 100 characters on one line; raises `InvalidValue`.

    Upstream's may have more lines: text that differs from `base` only in line ends returns `base`.
    """
    if base.strip() and _normalize_line_ends(text) == _normalize_line_ends(base):
        return base
    problem = label_problem(text)
    if problem:
        raise InvalidValue(problem)
    return text


def settled_label(label: str, standing: Collection[str], label_set: LabelSet | None) -> str:
    """Return a label in its one form: as the label set spells it, else tidy.

    A label among those that are `standing`, here or at Mixpeek, stays as it is.
    """
    if label in standing:
        return label
    if label_set is not None:
        return label_set.spelled(tidy(label))
    return tidy(label)


def seconds_looked_at(counted: str, opened: str) -> float | None:
    """Return the seconds an item was looked at: as the page counted, else since it was rendered.

    None when neither is credible (0 to 86,400); no reason to refuse a decision.
    """
    try:
        if counted:
            seconds = float(counted)
        else:
            elapsed = timezone.now() - datetime.fromisoformat(opened)
            seconds = elapsed.total_seconds()
    except (ValueError, TypeError):
        return None
    if not 0 <= seconds <= _MAX_SECONDS:
        return None
    return round(seconds, 1)


def confidence(text: str, base: float | None = None) -> float | None:
    """Return a number from 0 to 1, or None for blank, whatever the base; raises `InvalidValue`.

    A decimal comma counts as a point.
    """
    text = text.strip()
    if not text:
        return None
    if re.fullmatch(r"[0-9]*,[0-9]+", text):
        text = text.replace(",", ".")
    if not _NUMBER.match(text):
        raise InvalidValue(_("Confidence must be a number from 0 to 1, such as 0.75, or empty."))
    number = float(text)
    if not 0 <= number <= 1:
        raise InvalidValue(
            _("Confidence must be from 0 to 1, so it cannot be %(text)s.") % {"text": text}
        )

    mantissa = re.split("[eE]", text)[0]
    if not number and re.search("[1-9]", mantissa):
        raise InvalidValue(
            _("%(text)s is too small to be stored. Write 0 if you mean that.") % {"text": text}
        )
    # -0.0 becomes 0.0.
    return number + 0.0


def reasoning(text: str, base: str = "") -> str:
    """Return up to 5,000 characters; raises `InvalidValue`.

    Forms send line ends as CR LF. Text that differs from `base` only in line ends returns `base`.
    """
    text = _normalize_line_ends(text)
    if text == _normalize_line_ends(base):
        return base
    if len(text) > MAX_REASONING_LENGTH:
        most = f"{MAX_REASONING_LENGTH:,}"
        raise InvalidValue(
            _("The reasoning can have at most %(most)s characters (this one has %(number)s).")
            % {"most": most, "number": f"{len(text):,}"}
        )
    return text


def payload(text: str, base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object in `text`; raises `InvalidValue`.

    Unchanged text of `base` returns `base`: upstream may hold more than people may type.
    """
    if _normalize_line_ends(text).strip() == payloads.write(base):
        return dict(base)
    try:
        return payloads.read(text)
    except payloads.BadPayload as error:
        raise InvalidValue(str(error)) from error


def check_payload(value: dict[str, Any]) -> None:
    """Raise `InvalidValue` unless the object is within the limits for people."""
    try:
        payloads.check_limits(value)
    except payloads.BadPayload as error:
        raise InvalidValue(str(error)) from error


def number(value: float | None) -> str:
    """Return the shortest text that reads back as `value`; "" for None."""
    if value is None:
        return ""
    return number_text(value)


def _normalize_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
