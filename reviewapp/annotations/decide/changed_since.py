"""Has an item changed since somebody opened it? What they saw, as the form holds it, against what is there now.

Who overtook a form: a colleague who decided, one who took a decision back, another key, or oneself elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reviewapp.annotations.decide.parsing import FIELDS
from reviewapp.annotations.mirror import version_authors
from reviewapp.annotations.mirror.authorship import Whose
from reviewapp.annotations.models import Annotation, Undo
from reviewapp.audit.presenters.diffs import FieldDiff, field_diffs
from reviewapp.json_values import canonical, same

_ELSEWHERE = "in another tab or browser"


@dataclass(frozen=True, kw_only=True)
class Hand:
    """Whose hand made an item what it is now: `name` inside a sentence ("" when nobody knows).

    `decided` when it is a decision of one of us, `taken_back` when one fell away instead, `own` when it was the very
    person who is told.
    """

    name: str
    decided: bool = False
    taken_back: bool = False
    own: bool = False

    @property
    def subject(self) -> str:
        """Return the name as it begins a sentence."""
        if self.own:
            return "You"
        # A person's name stays as it is written.
        name = self.name or "somebody"
        return name[0].upper() + name[1:] if " " in name or not self.name else name

    @property
    def has(self) -> str:
        """Return the name with its verb, as in "bob has"."""
        return f"{self.subject} {'have' if self.own else 'has'}"

    @property
    def where(self) -> str:
        """Return where it was done if it was oneself, to end a sentence with."""
        return f" {_ELSEWHERE}" if self.own else ""

    @property
    def title(self) -> str:
        """Return what happened, without a full stop."""
        if self.taken_back:
            what = "your decision" if self.own else "the decision you had seen"
            return f"{self.subject} took back {what}{self.where}"
        if self.own:
            return f"You {'decided' if self.decided else 'changed'} this{self.where}"
        return f"{self.subject} was faster"

    @property
    def taking(self) -> str:
        """Return how the choice of what stands now is called."""
        return "Take what stands now" if self.own or self.taken_back else "Take theirs"

    @property
    def standing(self) -> str:
        """Return what is said before a value that stands now."""
        by = "you" if self.own else self.name or "somebody else"
        return "Now" if self.taken_back else f"Now, by {by}"

    def took_over(self, fields: str) -> str:
        """Return the sentence for fields that only this hand changed."""
        if self.taken_back:
            return f"As it was before that decision again: the {fields}."
        if self.own:
            return f"Only there did you change the {fields}: taken over."
        return f"Only {self.name or 'somebody else'} changed the {fields}: taken over."


def overtaker(row: Annotation, base: Mapping[str, Any], *, viewer: str) -> Hand:
    """Return whose hand changed `row` since somebody (`viewer` is the name of who is told) saw `base`."""
    seen = base.get("decision")
    if seen == row.decision_id:
        return _upstream(row, viewer)
    undone = Undo.objects.select_related("actor").filter(decision_id=seen).first() if seen else None
    if undone and (row.decision_id or 0) < undone.decision_id:
        name = undone.actor.get_username()
        return Hand(name=name, taken_back=True, own=name == viewer)
    if row.reviewer is None:
        return _upstream(row, viewer)
    name = row.reviewer.get_username()
    return Hand(name=name, decided=True, own=name == viewer)


def _upstream(row: Annotation, viewer: str) -> Hand:
    versions = version_authors.versions(row)
    if not versions:
        return Hand(name="")
    own = versions[0].whose is Whose.OURS and versions[0].name == viewer
    return Hand(name=versions[0].who, own=own)


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
