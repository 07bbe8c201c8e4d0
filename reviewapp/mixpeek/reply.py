"""One HTTP answer as plain values, and its body as JSON that the rest of the world can hold."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_SUSPECT = re.compile(rb"\\u(?:0000|d[89a-f])", re.IGNORECASE)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REQUEST_ID = 128


class Malformed(ValueError):
    """This answer is not what the call promises; the text says where."""


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

        NaN, infinities and numbers too large for a float are refused. NUL characters and lone surrogates become
        U+FFFD, because no database or page downstream can hold them and one such text must not stop a whole pull.
        """
        try:
            text = self.body.decode("utf-8-sig")
            value = json.loads(text, parse_constant=_not_a_number, parse_float=_finite)
            return _storable(value) if _SUSPECT.search(self.body) else value
        except (ValueError, RecursionError) as error:
            raise Malformed(_why_not_json(self)) from error


def _why_not_json(reply: Reply) -> str:
    if reply.looks_like_html:
        return "an HTML page came instead of JSON"
    return "the body is not JSON" if reply.body.strip() else "the body is empty"


def _not_a_number(name: str) -> float:
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value
