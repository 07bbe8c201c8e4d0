"""Who overtook a form: a colleague who decided, one who took a decision back, another key, or oneself elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reviewapp.annotations import at_mixpeek
from reviewapp.annotations.hands import Whose
from reviewapp.annotations.models import Annotation, Undo

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
    versions = at_mixpeek.versions(row)
    if not versions:
        return Hand(name="")
    own = versions[0].whose is Whose.OURS and versions[0].name == viewer
    return Hand(name=versions[0].who, own=own)
