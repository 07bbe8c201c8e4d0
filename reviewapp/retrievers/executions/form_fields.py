"""Form fields for JSON, for numbers to the digit, and for addresses of files."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from reviewapp.json_values import UnstorableNumber, is_deeper_than, loads, number_text
from reviewapp.storable import is_storable

_MAX_JSON_LENGTH = 64 * 1024
# As many as the payload of a decision may have.
_MAX_JSON_LEVELS = 20
_ARRAY = '["a", "b"]'
_OBJECT = '{"a": 1}'
_ADDRESS = re.compile(
    r"(?:(?:https?|s3|gs)://[^\s/]+(?:/\S*)?|data:[\w.+-]+/[\w.+-]+[;,]\S*)\Z",
    re.IGNORECASE,
)


class JsonField(forms.CharField):
    """A JSON object or array, bounded and storable; an array may also be typed as lines."""

    widget = forms.Textarea

    def __init__(self, *, kind: type, **options: Any) -> None:
        super().__init__(**options)
        self.kind = kind
        self.widget.attrs |= {"rows": 4, "spellcheck": "false"}

    def prepare_value(self, value: Any) -> Any:
        """Return a default as JSON, and submitted text unchanged."""
        if isinstance(value, str) or value is None:
            return value
        return json.dumps(value, ensure_ascii=False, indent=2)

    def clean(self, value: Any) -> Any:
        """Return the parsed value, None for an empty field."""
        text = super().clean(value)
        if not text:
            return None
        if len(text) > _MAX_JSON_LENGTH:
            raise ValidationError(_("Enter at most 64 KiB."))
        if self.kind is list and not text.startswith("["):
            return [line.strip() for line in text.splitlines() if line.strip()]

        parsed = _parse(text)
        if not isinstance(parsed, self.kind):
            if self.kind is list:
                raise ValidationError(
                    _("Enter an array, such as %(example)s.") % {"example": _ARRAY}
                )
            raise ValidationError(_("Enter an object, such as %(example)s.") % {"example": _OBJECT})
        return parsed


def _parse(text: str) -> Any:
    try:
        parsed = loads(text)
    except UnstorableNumber as error:
        raise ValidationError(str(error)) from error
    except RecursionError as error:
        raise ValidationError(_too_deep()) from error
    except ValueError as error:
        raise ValidationError(_("This is not JSON. Check quotes, commas and brackets.")) from error

    if is_deeper_than(parsed, _MAX_JSON_LEVELS):
        raise ValidationError(_too_deep())
    if not is_storable(parsed):
        raise ValidationError(_("Remove the characters that cannot be stored."))
    return parsed


class ExactNumberField(forms.FloatField):
    """A number; one that cannot be kept to the digit is refused."""

    def clean(self, value: Any) -> Any:
        """Return the number, None for an empty field."""
        number = super().clean(value)
        if number is None:
            return None
        try:
            is_exact = Decimal(str(value).strip()) == Decimal(repr(number))
        except InvalidOperation:
            is_exact = True
        if not is_exact:
            message = f"This number cannot be kept to the digit; {number_text(number)} can."
            raise ValidationError(message)
        return number


class AddressField(forms.CharField):
    """The address of a file: an http(s), s3 or gs URL, or the file itself as a data: URL."""

    def clean(self, value: Any) -> Any:
        """Return the address, without fetching it."""
        text = super().clean(value)
        if text and not _ADDRESS.match(text):
            message = _(
                "Enter an address that begins with https://, s3:// or gs://, or a data: URL."
            )
            raise ValidationError(message)
        return text


def _too_deep() -> str:
    return _("This is nested too deeply: %(most)s levels at most.") % {"most": _MAX_JSON_LEVELS}
