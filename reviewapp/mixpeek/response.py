"""One HTTP response as plain values, and its body as JSON that PostgreSQL can store."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reviewapp.mixpeek.parsing.bounds import MAX_VALUES
from reviewapp.storable import MAX_INTEGER_DIGITS, TOO_LARGE_INTEGER, storable_json

_VALUE_DELIMITERS = (b"{", b"[", b",")
_ESCAPED_UNSTORABLE = re.compile(rb"\\u(?:0000|d[89a-f])", re.IGNORECASE)
_MAX_REQUEST_ID_LENGTH = 128


class Malformed(ValueError):
    """The response is not what the call promises; the message says where."""


class TooLarge(Malformed):
    """The response is JSON, but exceeds a limit of `bounds`."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One response: status, headers (names in lower case) and body.

    `namespace` is the one that the request was about.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    namespace: str = ""

    @property
    def request_id(self) -> str:
        """Mixpeek's id of this request, at most 128 visible characters, or an empty string."""
        header = self.headers.get("x-request-id", "")
        return re.sub(r"[^\x21-\x7e]", "", header)[:_MAX_REQUEST_ID_LENGTH]

    @property
    def looks_like_html(self) -> bool:
        """Whether the body is a web page, so not from the API but from a proxy in front of it."""
        head = self.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        return head == b"<" or "html" in self.headers.get("content-type", "").lower()

    def json(self) -> Any:
        """Return the body as JSON; raise `Malformed` when it is not JSON.

        NUL characters and lone surrogates become U+FFFD, because PostgreSQL cannot store them and
        one such text must not stop a whole pull. NaN, infinities and huge numbers are left to the
        reader of the field. Raises `TooLarge` for a body with more than 2,000,000 values.
        """
        number = 0
        for delimiter in _VALUE_DELIMITERS:
            number += self.body.count(delimiter)
        if number > MAX_VALUES:
            raise TooLarge(f"it holds more than {MAX_VALUES:,} values")
        try:
            text = self.body.decode("utf-8-sig")
            value = json.loads(text, parse_int=_parse_integer)
            if _ESCAPED_UNSTORABLE.search(self.body):
                value = storable_json(value, max_depth=math.inf)
            return value
        except RecursionError as error:
            raise TooLarge("it is nested too deeply") from error
        except ValueError as error:
            reason = "the body is not JSON"
            if self.looks_like_html:
                reason = "an HTML page came instead of JSON"
            elif not self.body.strip():
                reason = "the body is empty"
            raise Malformed(reason) from error


def _parse_integer(digits: str) -> int | str:
    if len(digits.removeprefix("-")) > MAX_INTEGER_DIGITS:
        return TOO_LARGE_INTEGER
    return int(digits)
