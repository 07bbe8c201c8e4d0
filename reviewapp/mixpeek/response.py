"""One HTTP answer as plain values, and its body as JSON that the rest of the world can hold."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reviewapp.mixpeek.parsing.bounds import LONGEST_INTEGER, MOST_VALUES

_BEFORE_VALUES = (b"{", b"[", b",")
_SUSPECT = re.compile(rb"\\u(?:0000|d[89a-f])", re.IGNORECASE)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REQUEST_ID = 128
_TOO_LONG = "a number too large to keep"


class Malformed(ValueError):
    """This answer is not what the call promises; the text says where."""


class TooMuch(Malformed):
    """This answer is JSON, but more of it than can be taken in."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Status, headers (names in lower case) and decoded body, when it came, and the namespace that was asked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    namespace: str = ""

    @property
    def request_id(self) -> str:
        """Mixpeek's name for this request, cleaned and cut, or nothing."""
        return re.sub(r"[^\x21-\x7e]", "", self.headers.get("x-request-id", ""))[:_REQUEST_ID]

    @property
    def looks_like_html(self) -> bool:
        """Whether the body is a web page, so not Mixpeek's API speaking but something in front of it."""
        head = self.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        return head == b"<" or "html" in self.headers.get("content-type", "").lower()

    def json(self) -> Any:
        """Return the body as JSON; raise `Malformed` when it is not JSON.

        NUL characters and lone surrogates become U+FFFD, because no database or page downstream can hold them and one
        such text must not stop a whole pull. NaN, infinities and endless numbers are left to whoever reads the field.
        A body that would take more memory than any answer is worth is refused unread.
        """
        if sum(map(self.body.count, _BEFORE_VALUES)) > MOST_VALUES:
            raise TooMuch(f"it holds more than {MOST_VALUES:,} values")
        try:
            text = self.body.decode("utf-8-sig")
            value = json.loads(text, parse_int=_integer)
            return _storable(value) if _SUSPECT.search(self.body) else value
        except RecursionError as error:
            raise TooMuch("it is nested too deeply") from error
        except ValueError as error:
            raise Malformed(_why_not_json(self)) from error


def _why_not_json(reply: Reply) -> str:
    if reply.looks_like_html:
        return "an HTML page came instead of JSON"
    return "the body is not JSON" if reply.body.strip() else "the body is empty"


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits.removeprefix("-")) <= LONGEST_INTEGER else _TOO_LONG


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value
