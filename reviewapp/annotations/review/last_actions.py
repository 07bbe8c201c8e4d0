"""A person's last decisions for the drawer, and what the Undo button is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reviewapp.annotations.models import Decision, SetAside, seconds_until
from reviewapp.outbox.models import Change
from reviewapp.postgres.jsonb import float_from_json, time_from_json
from reviewapp.postgres.statement import Statement, sql_file

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


@dataclass(frozen=True, kw_only=True)
class OwnDecision:
    """One of the person's own decisions, as the Undo button needs it."""

    pk: int
    outcome: str
    held_until: datetime | None
    created_at: datetime

    @property
    def held_for(self) -> int:
        """The seconds, rounded up, for which it is still held and can be undone; else 0."""
        return seconds_until(self.held_until)

    @property
    def is_revertible(self) -> bool:
        """Whether it can be undone even after it was sent: "can't tell" sets no value."""
        return self.outcome == Decision.Outcome.UNDECIDABLE


@dataclass(frozen=True, kw_only=True)
class RecentDecision(OwnDecision):
    """One of the person's own decisions, as the drawer shows it.

    `title` is that of the annotation, else its document's id. `merged`: something else had been
    changed at Mixpeek, and stays so. `change_id` is the key of its change, None if it made none.
    """

    annotation_id: int
    title: str
    label: str
    confidence: float | None
    taken_back: bool
    merged: bool
    change_id: int | None
    change_state: str | None

    @property
    def not_taken(self) -> Change.State | None:
        """The state of its change if Mixpeek did not take it and a person has to choose."""
        if self.change_state in {Change.State.CONFLICT, Change.State.REFUSED}:
            return Change.State(self.change_state)
        return None


@dataclass(frozen=True, kw_only=True)
class LastAside:
    """What the person skipped or deferred last; the title of the item, else its document's id."""

    annotation_id: int
    title: str
    kind: SetAside.Kind
    created_at: datetime


@dataclass(frozen=True)
class LastActionsRow:
    """The rows of the person's newest standing decision and of their last skip or deferral."""

    decision: dict[str, Any] | None
    aside: dict[str, Any] | None


_LAST_ACTIONS = sql_file(__file__, "last_actions.sql", LastActionsRow)
RECENT_DECISIONS: Statement[dict[str, Any]] = sql_file(__file__, "recent_decisions.sql", dict)
_RECENT_ROW = Statement[dict[str, Any]]("SELECT to_jsonb(d) FROM ({recent}) d", dict)
_RECENT_ROWS = _RECENT_ROW.with_pieces(recent=RECENT_DECISIONS.text)


def last_actions(person: User) -> dict[str, Any]:
    """Return what the Undo button is about, for the template.

    `last_standing` is the person's newest decision that was not undone; `last_aside` a later skip
    or deferral. None where there is none.
    """
    (row,) = _LAST_ACTIONS.rows(person=person.pk)

    last_standing = None
    if row.decision:
        last_standing = OwnDecision(
            pk=row.decision["id"],
            outcome=row.decision["outcome"],
            held_until=time_from_json(row.decision["held_until"]),
            created_at=datetime.fromisoformat(row.decision["created_at"]),
        )
    return undo_context(last_standing, build_last_aside(row.aside))


def recent_decisions(person: User) -> list[RecentDecision]:
    """Return the person's last ten decisions, newest first."""
    return [build_recent_decision(row) for row in _RECENT_ROWS.rows(person=person.pk)]


def undo_context(standing: OwnDecision | None, aside: LastAside | None) -> dict[str, Any]:
    """Return what the Undo button is about; the skip or deferral only if it is the later one."""
    is_later = aside and (standing is None or aside.created_at >= standing.created_at)
    if not is_later:
        aside = None
    return {"last_standing": standing, "last_aside": aside}


def newest_standing(decisions: Sequence[RecentDecision]) -> RecentDecision | None:
    """Return the first decision that was not undone; None if all were."""
    for decision in decisions:
        if not decision.taken_back:
            return decision
    return None


def build_recent_decision(row: Mapping[str, Any]) -> RecentDecision:
    """Return a decision of a row with the columns of `RecentDecision`."""
    return RecentDecision(
        pk=row["id"],
        outcome=row["outcome"],
        held_until=time_from_json(row["held_until"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        annotation_id=row["annotation_id"],
        title=row["title"],
        label=row["label"],
        confidence=float_from_json(row["confidence"]),
        taken_back=row["taken_back"],
        merged=row["merged"],
        change_id=row["change_id"],
        change_state=row["change_state"],
    )


def build_last_aside(row: Mapping[str, Any] | None) -> LastAside | None:
    """Return the skip or deferral of a row with the columns of `LastAside`, None for no row."""
    if row is None:
        return None
    return LastAside(
        annotation_id=row["annotation_id"],
        title=row["title"],
        kind=SetAside.Kind(row["kind"]),
        created_at=datetime.fromisoformat(row["created_at"]),
    )
