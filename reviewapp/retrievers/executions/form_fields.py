"""Form fields for what browsers have no field for: JSON, and where a file is."""

from __future__ import annotations

import json
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from reviewapp.json_values import BadNumber, loads
from reviewapp.retrievers.documents.snapshot import UNSTORABLE

_MOST_JSON = 64 * 1024
_ADDRESS = re.compile(r"(?:(?:https?|s3|gs)://[^\s/]+(?:/\S*)?|data:[\w.+-]+/[\w.+-]+[;,]\S*)\Z", re.IGNORECASE)


class JsonField(forms.CharField):
    """JSON of one kind, bounded, and free of what cannot be stored; an array may also be typed one item a line."""

    widget = forms.Textarea

    def __init__(self, *, kind: type, **options: Any) -> None:
        super().__init__(**options)
        self.kind = kind
        self.widget.attrs |= {"rows": 4, "spellcheck": "false"}

    def prepare_value(self, value: Any) -> Any:
        """Show a default as JSON, and what was typed as it was typed."""
        return value if isinstance(value, str) or value is None else json.dumps(value, ensure_ascii=False, indent=2)

    def clean(self, value: Any) -> Any:
        """Return the parsed value, None for nothing."""
        text = super().clean(value)
        if not text:
            return None
        if len(text) > _MOST_JSON:
            raise ValidationError("This is longer than 64 KiB.")
        if self.kind is list and not text.startswith("["):
            return [line.strip() for line in text.splitlines() if line.strip()]
        found = _parsed(text)
        if not isinstance(found, self.kind):
            wanted = 'an array, like ["a", "b"]' if self.kind is list else 'an object, like {"a": 1}'
            raise ValidationError(f"This must be {wanted}.")
        return found


def _parsed(text: str) -> Any:
    try:
        found = loads(text)
        storable = not UNSTORABLE.search(json.dumps(found, ensure_ascii=False)) and "\\u0000" not in text
    except BadNumber as error:
        raise ValidationError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise ValidationError("This is not JSON. Check quotes, commas and brackets.") from error
    if not storable:
        raise ValidationError("This holds characters that cannot be stored.")
    return found


class AddressField(forms.CharField):
    """Where a file is: an http(s), s3 or gs address, or the file itself as a data: URL."""

    def clean(self, value: Any) -> Any:
        """Return the address; never fetches it."""
        text = super().clean(value)
        if text and not _ADDRESS.match(text):
            raise ValidationError("Enter an address that begins with https://, s3:// or gs://, or a data: URL.")
        return text
