"""Collect the final state as plain values: our tables by SQL, upstream by its API."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any, TypeVar

import psycopg
import requests
from psycopg.rows import dict_row

from tools.drill.journal import JournalEntries
from tools.launch.config import SANDBOX_KEY, SANDBOX_NAMESPACE

VALUES = ("label", "confidence", "reasoning", "payload")
_BLANK: dict[str, Any] = {
    "label": "",
    "confidence": None,
    "reasoning": "",
    "payload": {},
    "metadata": None,
}
_PAGE = 500


@dataclass(frozen=True, kw_only=True)
class DecisionRow:
    """A row of the decisions; `values` has the fields of `VALUES`."""

    id: int
    decision_id: str
    ref: str
    person: str
    outcome: str
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ChangeRow:
    """A row of the outbox."""

    id: int
    ref: str
    state: str
    fields: dict[str, Any]
    base: dict[str, Any]
    cause: str | None
    actor_id: int | None
    reason: str
    raced: dict[str, Any] | None
    version: int | None
    attempts: int
    verb: str
    without_author: bool

    @property
    def decision_id(self) -> str | None:
        """The decision that it tells Mixpeek of, or reverts there."""
        if self.verb == "revert":
            return str(self.base["decision_id"])
        return self.cause

    @property
    def sets_values(self) -> bool:
        """Whether its fields are values upstream, and not what the stamp is to say."""
        return self.verb not in {"cannot_tell", "revert"}


@dataclass(frozen=True, kw_only=True)
class AnnotationRow:
    """A row of the annotations, with every column that history tracks."""

    ref: str
    annotation_id: str
    version: int | None
    tracked: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """A row of the history; `changes` is `{column: [old, new]}`."""

    id: int
    ref: str
    action: str
    changes: dict[str, Any]
    actor_id: int | None
    origin: str


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version upstream: by which key, the names of the changed fields, and all values."""

    number: int
    by: str
    changed: frozenset[str]
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything that the checks read.

    `undone` are ids of decisions, `people` are names by key, `ours` is our key upstream.

    `stamped` is whether Mixpeek is to be told in the metadata who decided.
    """

    journal: JournalEntries
    decisions: list[DecisionRow] = field(default_factory=list)
    changes: list[ChangeRow] = field(default_factory=list)
    annotations: list[AnnotationRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    upstream: dict[str, list[Version]] = field(default_factory=dict)
    undone: list[str] = field(default_factory=list)
    people: dict[int, str] = field(default_factory=dict)
    ours: str = ""
    stamped: bool = False

    @cached_property
    def reverted(self) -> set[str | None]:
        """The decisions of which another change says upstream that they are reverted."""
        return {change.decision_id for change in self.changes if change.verb == "revert"}

    @cached_property
    def changes_by_ref(self) -> dict[str, list[ChangeRow]]:
        """The outbox by ref, oldest first."""
        return grouped(self.changes)

    @cached_property
    def events_by_ref(self) -> dict[str, list[EventRow]]:
        """The history by ref, oldest first."""
        return grouped(self.events)

    @cached_property
    def decisions_by_ref(self) -> dict[str, list[DecisionRow]]:
        """The decisions by ref, oldest first."""
        return grouped(self.decisions)


HasRef = TypeVar("HasRef", DecisionRow, ChangeRow, EventRow)
Row = dict[str, Any]


def grouped(rows: list[HasRef]) -> dict[str, list[HasRef]]:
    """Return rows by their ref, in the order of their ids."""
    by_ref: dict[str, list[HasRef]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        by_ref.setdefault(row.ref, []).append(row)
    return by_ref


_DECISIONS = """
SELECT d.id, d.decision_id::text AS decision_id, a.ref, u.username AS person, d.outcome,
    jsonb_build_object('label', d.label, 'confidence', d.confidence, 'reasoning', d.reasoning,
        'payload', d.payload) AS values
FROM annotations_decision d
JOIN annotations_annotation a ON a.id = d.annotation_id
JOIN accounts_user u ON u.id = d.reviewer_id
"""
_CHANGES = """
SELECT id, ref, state, fields, base, cause::text AS cause, actor_id, reason, raced, version,
    attempts, verb, without_author
FROM outbox_change
"""
_ANNOTATIONS = """
SELECT ref, annotation_id, version,
    jsonb_build_object('annotation_id', annotation_id, 'label', label, 'confidence', confidence,
        'reasoning', reasoning, 'payload', payload, 'metadata', metadata, 'status', status,
        'decision_id', decision_id, 'reviewer_id', reviewer_id) AS tracked
FROM annotations_annotation
"""
_UNDONE = """
SELECT d.decision_id::text AS decision_id
FROM annotations_undo u JOIN annotations_decision d ON d.id = u.decision_id
"""
_EVENTS = """
SELECT id, ref, action, changes, actor_id, origin FROM audit_event
WHERE action LIKE 'annotation.%' OR action LIKE 'change.%'
"""


def gather(database_url: str, sandbox: str, journal: JournalEntries) -> World:
    """Read everything; call it when nobody writes any more."""
    with psycopg.connect(database_url, row_factory=dict_row) as connection:

        def fetch(query: str) -> list[Row]:
            return connection.execute(query.encode()).fetchall()

        return world_of(fetch, upstream(sandbox), journal, stamped=True)


def world_of(
    fetch: Callable[[str], list[Row]],
    records: Iterable[Row],
    journal: JournalEntries,
    *,
    stamped: bool,
) -> World:
    """Return our tables, which `fetch` reads, and the annotations upstream (`records`)."""
    people = fetch("SELECT id, username FROM accounts_user")
    return World(
        journal=journal,
        decisions=[DecisionRow(**row) for row in fetch(_DECISIONS)],
        changes=[ChangeRow(**row) for row in fetch(_CHANGES)],
        annotations=[AnnotationRow(**row) for row in fetch(_ANNOTATIONS)],
        events=[EventRow(**row) for row in fetch(_EVENTS)],
        upstream={record["annotation_id"]: versions(record) for record in records},
        undone=[row["decision_id"] for row in fetch(_UNDONE)],
        people={row["id"]: row["username"] for row in people},
        ours=name_of(SANDBOX_KEY),
        stamped=stamped,
    )


def upstream(sandbox: str) -> Iterator[Row]:
    """Yield every annotation upstream, with its revisions."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(
            {"Authorization": f"Bearer {SANDBOX_KEY}", "X-Namespace": SANDBOX_NAMESPACE},
        )
        for skip in count(0, _PAGE):
            url = f"{sandbox}/v1/annotations/list?limit={_PAGE}&skip={skip}"
            page = session.post(url, json={}, timeout=60).json()["results"]
            yield from page
            if len(page) < _PAGE:
                return


def versions(record: dict[str, Any]) -> list[Version]:
    """Return the versions of a record, oldest first, rebuilt from what each edit replaced."""
    values = _normalized(record)
    newest_first: list[Version] = []
    for edit in sorted(record["revisions"], key=lambda edit: edit["version"], reverse=True):
        changed = frozenset(edit["prior"])
        version = Version(
            number=edit["version"] + 1,
            by=edit["edited_by"],
            changed=changed,
            values=dict(values),
        )
        newest_first.append(version)
        values |= _normalized(edit["prior"], only=changed)

    first = Version(number=1, by=record["actor_id"], changed=frozenset(), values=dict(values))
    return [first, *reversed(newest_first)]


def name_of(key: str) -> str:
    """Return the sandbox's name for the holder of a key."""
    return f"key_{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def _normalized(record: Row, only: frozenset[str] = frozenset(_BLANK)) -> dict[str, Any]:
    """Return the values with blanks for None: no reasoning is "", no payload is {}."""
    values = {}
    for name, blank in _BLANK.items():
        if name not in only:
            continue
        values[name] = record.get(name)
        if values[name] is None:
            values[name] = blank
    return values
