"""Read a JSON object key by key: a value of the right type, or a `Malformed` that names the key.

Absent and null mean the same here, except to `has`. Types are strict (a string is never a number);
ranges are not checked, because what is stored upstream must stay readable.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from reviewapp.mixpeek.parsing import bounds
from reviewapp.mixpeek.records import Json
from reviewapp.mixpeek.response import Malformed

_TYPE_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "a boolean",
    int: "a number",
    float: "a number",
}


class JsonObject:
    """One JSON object; `path` is its place in the answer, for error messages."""

    def __init__(self, value: Any, path: str = "the answer") -> None:
        if not isinstance(value, dict):
            raise Malformed(f"{path} should be an object and is {_type_name(value)}")
        self.raw: Json = value
        self._path = path

    def has(self, key: str) -> bool:
        """Return whether the key is present, even if its value is null."""
        return key in self.raw

    def first_present(self, *keys: str) -> str:
        """Return the first of `keys` whose value is not null, else the first key."""
        for key in keys:
            if self.raw.get(key) is not None:
                return key
        return keys[0]

    def text(self, key: str, default: str = "") -> str:
        """Return a string, or `default`."""
        value = self._value(key, str)
        if value is None:
            return default
        return str(value)

    def text_or_none(self, key: str) -> str | None:
        """Return a string or None."""
        if self.raw.get(key) is None:
            return None
        return self.text(key)

    def required_text(self, key: str) -> str:
        """Return a string that must be present and not empty."""
        text = self.text(key)
        if not text:
            raise Malformed(f"{self._path} has no {key}")
        return text

    def required_id(self, key: str) -> str:
        """Return a string that must be present, fit into a path and have at most 200 characters."""
        text = self.required_text(key)
        if len(text) > bounds.MAX_ID_LENGTH:
            raise Malformed(
                f"{self._path}: {key} is longer than {bounds.MAX_ID_LENGTH} characters",
            )
        if not bounds.is_id(text):
            raise Malformed(f"{self._path}: {key} cannot be an id")
        return text

    def bounded_text(self, key: str, default: str = "") -> str:
        """Return a string of at most 50,000 characters, or `default`."""
        text = self.text(key, default)
        if len(text) > bounds.MAX_TEXT_LENGTH:
            raise Malformed(
                f"{self._path}: {key} is longer than {bounds.MAX_TEXT_LENGTH:,} characters",
            )
        return text

    def number(self, key: str) -> float | None:
        """Return a finite number or None."""
        value = self.raw.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._type_error(key, "a number", value)

        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise Malformed(f"{self._path}: {key} is too large a number, or none")
        return number

    def integer(self, key: str) -> int | None:
        """Return a whole number or None; `3.0` counts as 3."""
        number = self.number(key)
        if number is None:
            return None
        if number != int(number):
            raise Malformed(f"{self._path}: {key} should be a whole number")
        return int(self.raw[key])

    def required_integer(self, key: str) -> int:
        """Return a whole number that must be present."""
        number = self.integer(key)
        if number is None:
            raise Malformed(f"{self._path} has no {key}")
        return number

    def version(self, key: str) -> int | None:
        """Return a version number from 0 to 1,000,000,000, or None."""
        number = self.integer(key)
        if number is not None and not 0 <= number <= bounds.MAX_VERSION:
            raise Malformed(f"{self._path}: {key} is no version from 0 to {bounds.MAX_VERSION:,}")
        return number

    def required_version(self, key: str) -> int:
        """Return a version number that must be present."""
        number = self.version(key)
        if number is None:
            raise Malformed(f"{self._path} has no {key}")
        return number

    def count(self, key: str) -> int | None:
        """Return a number from 0 to 2^31 - 1; None when it is absent or outside that range."""
        number = self.integer(key)
        if number is None or not 0 <= number <= bounds.MAX_COUNT:
            return None
        return number

    def boolean(self, key: str, default: bool = False) -> bool:
        """Return a boolean, or `default`."""
        value = self._value(key, bool)
        if value is None:
            return default
        return bool(value)

    def timestamp(self, key: str) -> datetime | None:
        """Return an ISO 8601 date or seconds since 1970 as a datetime in UTC, or None.

        A date without a time zone is in UTC.
        """
        value = self.raw.get(key)
        if value is None:
            return None

        try:
            if not isinstance(value, str):
                return datetime.fromtimestamp(self.number(key) or 0.0, UTC)
            moment = datetime.fromisoformat(value)
            if not moment.tzinfo:
                moment = moment.replace(tzinfo=UTC)
            return moment.astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            raise self._type_error(key, "a date", value) from None

    def mapping(self, key: str) -> Json:
        """Return an object, empty when absent."""
        value: Json | None = self._value(key, dict)
        return value or {}

    def bounded_mapping(self, key: str) -> Json:
        """Return an object of at most 256 KiB, empty when absent."""
        value = self.mapping(key)
        if bounds.json_length(value) > bounds.MAX_JSON_LENGTH:
            kib = bounds.MAX_JSON_LENGTH // 1024
            raise Malformed(f"{self._path}: {key} is larger than {kib} KiB")
        return value

    def bounded_body(self) -> Json:
        """Return the whole object as the server sent it, at most 1 MiB."""
        if bounds.json_length(self.raw) > bounds.MAX_BODY_LENGTH:
            mib = bounds.MAX_BODY_LENGTH // 1024 // 1024
            raise Malformed(f"{self._path} is larger than {mib} MiB")
        return self.raw

    def nested(self, key: str) -> JsonObject:
        """Return an object as a `JsonObject`, empty when absent."""
        return JsonObject(self.mapping(key), f"{self._path}: {key}")

    def array(self, key: str) -> list[Any]:
        """Return a list of anything, empty when absent."""
        return list(self._value(key, list) or ())

    def nested_list(self, key: str) -> tuple[JsonObject, ...]:
        """Return a list of objects as `JsonObject`s, empty when absent."""
        values = self._value(key, list) or ()
        return tuple(JsonObject(value, f"{key}[{index}]") for index, value in enumerate(values))

    def mappings(self, key: str) -> tuple[Json, ...]:
        """Return a list of objects as the server sent them, empty when absent."""
        return tuple(nested.raw for nested in self.nested_list(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings, empty when absent."""
        values = self._value(key, list) or ()
        for value in values:
            if not isinstance(value, str):
                raise self._type_error(key, "a list of texts", value)
        return tuple(values)

    def _value(self, key: str, expected: type) -> Any:
        value = self.raw.get(key)
        if value is not None and not isinstance(value, expected):
            raise self._type_error(key, _TYPE_NAMES[expected], value)
        return value

    def _type_error(self, key: str, expected: str, value: Any) -> Malformed:
        return Malformed(f"{self._path}: {key} should be {expected} and is {_type_name(value)}")


def _type_name(value: Any) -> str:
    return _TYPE_NAMES.get(type(value), "null")
