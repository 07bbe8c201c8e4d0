"""Fields and shapes as strict as Mixpeek: nothing is coerced, undeclared keys are refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from reviewapp.annotations import payload as payloads

# As many errors as an answer lists: a body may have tens of thousands of other keys.
_MAX_EXTRA_KEYS = 100
_ANY_OBJECT = {"type": "object", "additionalProperties": True}


class Text(serializers.CharField):
    """A text, kept to the letter."""

    def __init__(self, **options: Any) -> None:
        # DRF looks at no other bound of a text once that may be blank.
        super().__init__(
            **{"trim_whitespace": False, "allow_blank": not options.get("min_length")} | options,
        )

    def to_internal_value(self, data: Any) -> str:
        """Refuse anything but a text."""
        if not isinstance(data, str):
            raise ValidationError("Input should be a valid string", code="string_type")
        return super().to_internal_value(data)


class Number(serializers.FloatField):
    """A finite number."""

    def to_internal_value(self, data: Any) -> float:
        """Refuse texts, booleans and whatever is not finite."""
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise ValidationError("Input should be a valid number", code="float_type")
        try:
            number = float(data)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValidationError("Input should be a finite number", code="finite_number")
        return number + 0.0


class Whole(serializers.IntegerField):
    """A whole number."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse texts, booleans and fractions."""
        if isinstance(data, bool) or not isinstance(data, int):
            raise ValidationError("Input should be a valid integer", code="int_type")
        return data


class Flag(serializers.BooleanField):
    """True or false."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse anything but a boolean."""
        if not isinstance(data, bool):
            raise ValidationError("Input should be a valid boolean", code="bool_type")
        return data


class Instant(serializers.DateTimeField):
    """An ISO 8601 date and time; one without a zone is read as UTC."""

    def to_internal_value(self, value: Any) -> Any:
        """Refuse anything but a text."""
        if not isinstance(value, str):
            raise ValidationError("Input should be a valid datetime", code="datetime_type")
        try:
            return super().to_internal_value(value)
        except (ValueError, OverflowError) as error:
            raise ValidationError(
                "Input should be a valid datetime",
                code="datetime_parsing",
            ) from error


@extend_schema_field(_ANY_OBJECT)
class Object(serializers.JSONField):
    """A JSON object of any keys, up to 64 KiB."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Refuse anything but an object, and one that is too large or too deep."""
        if not isinstance(data, dict):
            raise ValidationError("Input should be a valid dictionary", code="dict_type")
        try:
            return payloads.check_limits(data)
        except payloads.BadPayload as error:
            raise ValidationError(str(error), code="too_large") from error


class Shape(serializers.Serializer[Any]):
    """An object of declared keys; any other is refused by name."""

    def to_internal_value(self, data: Any) -> Any:
        """Validate every key and report all errors at once, of other keys the first hundred."""
        unknown: dict[str, list[ErrorDetail]] = {}
        if isinstance(data, Mapping):
            accepted = [name for name, field in self.fields.items() if not field.read_only]
            message = f"Extra inputs are not permitted. Accepted keys: {', '.join(accepted)}"
            extra = (name for name in data if name not in accepted)
            for name in islice(extra, _MAX_EXTRA_KEYS):
                unknown[name[:100]] = [ErrorDetail(message, code="extra_forbidden")]

        try:
            values = super().to_internal_value(data)
        except ValidationError as error:
            if not isinstance(error.detail, dict):
                raise ValidationError(error.detail) from error
            raise ValidationError({**error.detail, **unknown}) from error
        if unknown:
            raise ValidationError(unknown)
        return values


def shape(name: str, doc: str, **fields: Any) -> type[Shape]:
    """Return a serializer class with these fields.

    A function, because Mixpeek calls some of the fields `label` and `data`.
    """
    return type(name, (Shape,), {"__doc__": doc, "__module__": __name__, **fields})


def optional(kind: type[serializers.Field[Any, Any, Any, Any]], **options: Any) -> Any:
    """Return a field that may be left out or null."""
    return kind(**{"required": False, "allow_null": True} | options)
