"""One API call as the resources see it: only the HTTP that Mixpeek's contract speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.sandbox.dialect import Dialect
from tools.sandbox.errors import Complaint, Invalid
from tools.sandbox.resources.media import Library
from tools.sandbox.resources.nulls import NullPolicy
from tools.sandbox.rules.revisions import Edit
from tools.sandbox.rules.validation import Json
from tools.sandbox.store import Store, now

_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}


@dataclass(frozen=True, kw_only=True)
class Call:
    """What was asked, by whom, in which namespace; `body` is None when there was none.

    `change_reason` is the X-Change-Reason header, None when absent or blank.
    """

    store: Store
    dialect: Dialect
    library: Library
    nulls: NullPolicy
    namespace: str
    actor_id: str
    base_url: str
    request_id: str
    change_reason: str | None
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any

    def edit(self) -> Edit:
        """Return who edits now."""
        return Edit(actor_id=self.actor_id, actor_type="api_key", at=now())

    def integer(self, name: str, *, least: int, most: int | None = None) -> int | None:
        """Return a query parameter as a number in its range, None when absent. Raises `Invalid`."""
        text = self.query.get(name)
        if text is None:
            return None
        try:
            value = int(text)
        except ValueError:
            raise _wrong(name, "int_parsing", "Input should be a valid integer") from None
        if value < least:
            raise _wrong(
                name,
                "greater_than_equal",
                f"Input should be greater than or equal to {least}",
            )
        if most is not None and value > most:
            raise _wrong(name, "less_than_equal", f"Input should be less than or equal to {most}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a query parameter as a boolean. Raises `Invalid`."""
        text = self.query.get(name)
        if text is None:
            return default
        if text.lower() not in _TRUE | _FALSE:
            raise _wrong(name, "bool_parsing", "Input should be a valid boolean")
        return text.lower() in _TRUE

    def presigned(self, document: Json) -> Json:
        """Return the document with links to its media."""
        signed: Json = self.library.presign(document, self.base_url)
        return signed


def _wrong(name: str, kind: str, message: str) -> Invalid:
    return Invalid([Complaint(kind=kind, location=("query", name), message=message)])
