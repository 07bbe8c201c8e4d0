"""Read a JSON object key by key: right type, or a `Malformed` that says which key was wrong.

Absent and null mean the same here, except to `has`. Types are strict (a string is never a number); ranges are not
judged, for what is stored upstream must stay readable.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from reviewapp.mixpeek.parsing import bounds
from reviewapp.mixpeek.records import Json
from reviewapp.mixpeek.response import Malformed

_NAMES = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}


class Fields:
    """One JSON object; `where` is its place in the answer, for the error."""

    def __init__(self, value: Any, where: str = "the answer") -> None:
        if not isinstance(value, dict):
            raise Malformed(f"{where} should be an object and is {_kind(value)}")
        self.raw: Json = value
        self._where = where

    def has(self, key: str) -> bool:
        """Whether the key is there at all, be it null."""
        return key in self.raw

    def first(self, *keys: str) -> str:
        """Return the first of `keys` that holds something, else the first key."""
        return next((key for key in keys if self.raw.get(key) is not None), keys[0])

    def needed(self, key: str) -> str:
        """Return a text that must be there and not be empty."""
        text = self.text(key)
        if not text:
            raise Malformed(f"{self._where} has no {key}")
        return text

    def identifier(self, key: str) -> str:
        """Return a text that must be there, be no longer than an id and fit into the path of a call."""
        text = self.needed(key)
        if len(text) > bounds.LONGEST_ID:
            raise Malformed(f"{self._where}: {key} is longer than {bounds.LONGEST_ID} characters")
        if not bounds.is_id(text):
            raise Malformed(f"{self._where}: {key} cannot be an id")
        return text

    def bounded_text(self, key: str, default: str = "") -> str:
        """Return a text of up to 50,000 characters, or `default`."""
        text = self.text(key, default)
        if len(text) > bounds.LONGEST_TEXT:
            raise Malformed(f"{self._where}: {key} is longer than {bounds.LONGEST_TEXT:,} characters")
        return text

    def text(self, key: str, default: str = "") -> str:
        """Return a text, or `default`."""
        found = self._typed(key, str)
        return default if found is None else str(found)

    def text_or_none(self, key: str) -> str | None:
        """Return a text or None."""
        return self.text(key) if self.raw.get(key) is not None else None

    def integer(self, key: str) -> int | None:
        """Return a whole number or None; `3.0` counts as 3."""
        number = self.number(key)
        if number is not None and number != int(number):
            raise Malformed(f"{self._where}: {key} should be a whole number")
        return None if number is None else int(self.raw[key])

    def version(self, key: str) -> int | None:
        """Return the number of a version or None."""
        number = self.integer(key)
        if number is not None and not 0 <= number <= bounds.MOST_VERSION:
            raise Malformed(f"{self._where}: {key} is no version from 0 to {bounds.MOST_VERSION:,}")
        return number

    def needed_version(self, key: str) -> int:
        """Return the number of a version that must be there."""
        number = self.version(key)
        if number is None:
            raise Malformed(f"{self._where} has no {key}")
        return number

    def count(self, key: str) -> int | None:
        """Return how many there are of something, None when that is no number that anybody counts to."""
        number = self.integer(key)
        return number if number is not None and 0 <= number <= bounds.MOST_COUNT else None

    def needed_integer(self, key: str) -> int:
        """Return a whole number that must be there."""
        number = self.integer(key)
        if number is None:
            raise Malformed(f"{self._where} has no {key}")
        return number

    def number(self, key: str) -> float | None:
        """Return a finite number or None."""
        found = self.raw.get(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise self._wrong(key, "a number", found)
        try:
            number = float(found)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise Malformed(f"{self._where}: {key} is too large a number, or none")
        return number

    def flag(self, key: str, default: bool = False) -> bool:
        """Return a boolean, or `default`."""
        found = self._typed(key, bool)
        return default if found is None else bool(found)

    def mapping(self, key: str) -> Json:
        """Return an object, empty when absent."""
        found: Json | None = self._typed(key, dict)
        return found or {}

    def bounded_mapping(self, key: str) -> Json:
        """Return an object of up to 256 KiB, empty when absent."""
        found = self.mapping(key)
        if bounds.size(found) > bounds.MOST_JSON:
            raise Malformed(f"{self._where}: {key} is larger than {bounds.MOST_JSON // 1024} KiB")
        return found

    def bounded_body(self) -> Json:
        """Return the whole object as it was sent, up to 1 MiB."""
        if bounds.size(self.raw) > bounds.MOST_BODY:
            raise Malformed(f"{self._where} is larger than {bounds.MOST_BODY // 1024 // 1024} MiB")
        return self.raw

    def values(self, key: str) -> list[Any]:
        """Return a list of anything, empty when absent."""
        return list(self._typed(key, list) or ())

    def inside(self, key: str) -> Fields:
        """Return an object as `Fields`, empty when absent."""
        return Fields(self.mapping(key), f"{self._where}: {key}")

    def rows(self, key: str) -> tuple[Fields, ...]:
        """Return a list of objects, empty when absent."""
        return tuple(Fields(item, f"{key}[{at}]") for at, item in enumerate(self._typed(key, list) or ()))

    def objects(self, key: str) -> tuple[Json, ...]:
        """Return a list of objects as the server sent them, empty when absent."""
        return tuple(row.raw for row in self.rows(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty when absent."""
        found = self._typed(key, list) or ()
        wrong = next((item for item in found if not isinstance(item, str)), None)
        if wrong is not None or any(item is None for item in found):
            raise self._wrong(key, "a list of texts", wrong)
        return tuple(found)

    def instant(self, key: str) -> datetime | None:
        """Return an ISO 8601 date or seconds since 1970 as a UTC datetime, or None; no zone means UTC."""
        found = self.raw.get(key)
        if found is None:
            return None
        try:
            if isinstance(found, str):
                moment = datetime.fromisoformat(found)
                return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
            return datetime.fromtimestamp(self.number(key) or 0.0, UTC)
        except (ValueError, OverflowError, OSError):
            raise self._wrong(key, "a date", found) from None

    def _typed(self, key: str, kind: type) -> Any:
        found = self.raw.get(key)
        if found is not None and not isinstance(found, kind):
            raise self._wrong(key, _NAMES[kind], found)
        return found

    def _wrong(self, key: str, due: str, found: Any) -> Malformed:
        return Malformed(f"{self._where}: {key} should be {due} and is {_kind(found)}")


def _kind(value: Any) -> str:
    return _NAMES.get(type(value), "null")
