"""Has an item changed since somebody opened it? What they saw, as the form holds it, against what is there now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.overtaking import Hand, overtaker
from reviewapp.annotations.typed import FIELDS
from reviewapp.audit.diffs import FieldDiff, field_diffs
from reviewapp.json_values import canonical, same


@dataclass(frozen=True, kw_only=True)
class News:
    """What has become of an item: gone, or the values that are others now (`{field: [then, now]}`), and by whom."""

    gone: bool
    by: Hand
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
            done = "taken a decision back" if self.by.taken_back else "decided this"
            return f"{self.by.has} {done} meanwhile{self.by.where}, with the same values."
        what = " and ".join(self.changes)
        done = f"taken a decision back, and with it {what}," if self.by.taken_back else f"changed {what}"
        return f"{self.by.has} {done} meanwhile{self.by.where}. What you typed is still here."


def news(row: Annotation, base: Mapping[str, Any], *, viewer: str) -> News:
    """Return what has become of `row` since `viewer` (a name) saw `base` (see `Annotation.seen`)."""
    changes = {name: [base.get(name), now] for name, now in row.values().items() if not same(base.get(name), now)}
    decided = row.decision_id != base.get("decision")
    by = overtaker(row, base, viewer=viewer) if decided or changes else Hand(name="")
    return News(gone=row.status == Annotation.Status.GONE, by=by, changes=changes, decided=decided)


def digest(seen: Mapping[str, Any]) -> str:
    """Return a short text that differs when anything that was seen does. Pure."""
    told = {name: seen.get(name) for name in (*FIELDS, "decision")}
    return hashlib.sha256(json.dumps(canonical(told), sort_keys=True).encode()).hexdigest()[:24]


def digest_of(base: object) -> str:
    """Return the digest of a form's base as it was sent; "" for one that is damaged."""
    try:
        seen = json.loads(str(base))
        return digest(seen) if isinstance(seen, dict) else ""
    except (ValueError, RecursionError):
        return ""
