"""Has an item changed since somebody opened it? What they saw, as the form holds it, against what is there now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reviewapp.annotations import at_mixpeek
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.typed import FIELDS
from reviewapp.audit.diffs import FieldDiff, field_diffs
from reviewapp.outbox.merge import same


@dataclass(frozen=True, kw_only=True)
class News:
    """What has become of an item: gone, or the values that are others now (`{field: [then, now]}`), and by whom."""

    gone: bool
    by: str
    changes: Mapping[str, Any]
    decided: bool

    def __bool__(self) -> bool:
        return self.gone or self.decided or bool(self.changes)

    @property
    def diffs(self) -> tuple[FieldDiff, ...]:
        """Return the changes as they are shown."""
        return field_diffs(self.changes)

    def sentence(self) -> str:
        """Return the news as it is read out."""
        if self.gone:
            return "Mixpeek no longer has this annotation, so nothing can be decided here any more."
        if not self.changes:
            return f"{_upper(self.by)} has decided this meanwhile, with the same values."
        return f"{_upper(self.by)} has changed {' and '.join(self.changes)} meanwhile. What you typed is still here."


def news(row: Annotation, base: Mapping[str, Any]) -> News:
    """Return what has become of `row` since somebody saw `base` (see `Annotation.seen`)."""
    changes = {name: [base.get(name), now] for name, now in row.values().items() if not same(base.get(name), now)}
    decided = row.decision_id != base.get("decision")
    by = row.reviewer.get_username() if decided and row.reviewer else _last_hand(row) if changes else ""
    return News(gone=row.status == Annotation.Status.GONE, by=by, changes=changes, decided=decided)


def digest(seen: Mapping[str, Any]) -> str:
    """Return a short text that differs when anything that was seen does. Pure."""
    told = {name: seen.get(name) for name in (*FIELDS, "decision")}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:24]


def digest_of(base: object) -> str:
    """Return the digest of a form's base as it was sent; "" for one that is damaged."""
    try:
        seen = json.loads(str(base))
        return digest(seen) if isinstance(seen, dict) else ""
    except (ValueError, RecursionError):
        return ""


def _last_hand(row: Annotation) -> str:
    versions = at_mixpeek.versions(row)
    return versions[0].who if versions else "somebody"


def _upper(text: str) -> str:
    # A person's name stays as it is written.
    return text[0].upper() + text[1:] if " " in text else text
