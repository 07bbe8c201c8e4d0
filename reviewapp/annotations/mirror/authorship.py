"""Find the author of each upstream version of an annotation from revisions and deliveries. Pure.

Mixpeek sees one API key instead of our people. A version that our outbox delivered, with the values
it delivered, is the decision of the person who made the change. A version by the same key without
one of our changes was made by another holder of that key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, Self

from reviewapp.annotations.fields import BLANK_VALUES
from reviewapp.annotations.models import Annotation
from reviewapp.audit.presenters.diffs import FieldDiff, field_diffs
from reviewapp.json_values import is_same_json
from reviewapp.outbox.models import Change

_MACHINE = "system"


class AuthorKind(Enum):
    """The kinds of authors; the value describes an author without a known name."""

    OURS = "one of us"
    OUR_KEY = "another holder of our key"
    ELSEWHERE = "another key"
    MACHINE = "the machine"


@dataclass(frozen=True, kw_only=True)
class UpstreamVersion:
    """One upstream version: its author, its time, and its changes as `{field: [old, new]}`.

    `name` is the name of our person, else Mixpeek's name for the author. Version 1 is the
    annotation as it was created. `outcome` and `reason` are what the version's stamp says beside
    the decision: "can't tell", or that this was reverted.
    """

    version: int
    changes: Mapping[str, Any]
    at: datetime | None
    whose: AuthorKind
    name: str
    kind: str = ""
    decision_id: str = ""
    outcome: str = ""
    reason: str = ""

    @property
    def who(self) -> str:
        """The author as a phrase that fits into a sentence."""
        if self.whose is AuthorKind.OURS:
            return self.name or AuthorKind.OURS.value

        if self.whose is AuthorKind.ELSEWHERE:
            phrase: str = AuthorKind.ELSEWHERE.value
            if self.kind == "user":
                phrase = "another user"
            if self.name:
                return f"{phrase} ({self.name})"
            return phrase

        return str(self.whose.value)

    def with_our_author(self, delivery: Change | None, stamped: Change | None) -> Self:
        """Return the version with our person as its author, if one of our changes made it.

        `stamped` is the change that the version's own stamp names. `delivery` is the change that
        was delivered as this version: it counts only if one of its values is in the version.
        """
        if self.whose is AuthorKind.MACHINE:
            return self
        if stamped is not None:
            return replace(self, whose=AuthorKind.OURS, name=stamped.actor_name)
        if delivery is None:
            return self

        for name, (_, new) in self.changes.items():
            if name in delivery.fields and is_same_json(new, delivery.fields[name]):
                return replace(self, whose=AuthorKind.OURS, name=delivery.actor_name)
        return self

    @property
    def diffs(self) -> tuple[FieldDiff, ...]:
        """The changes, ready for display."""
        return field_diffs(self.changes)


def upstream_versions(row: Annotation, delivered: Sequence[Change]) -> list[UpstreamVersion]:
    """Return each known upstream version, newest first; [] for an annotation without versions.

    `delivered` are the changes delivered to this ref. An author who is neither the machine nor one
    of us counts as another key; `with_our_key` corrects that.
    """
    if row.version is None or row.annotation_id is None:
        return []

    by_version = {}
    by_cause = {}
    for change in delivered:
        if change.version is not None:
            by_version[change.version] = change
        if change.cause is not None:
            by_cause[str(change.cause)] = change

    versions = []
    for version in versions_from_revisions(row):
        delivery = by_version.get(version.version)
        stamped = by_cause.get(version.decision_id)
        versions.append(version.with_our_author(delivery, stamped))
    return versions


def with_our_key(
    versions: Iterable[UpstreamVersion], our_actors: Collection[str]
) -> list[UpstreamVersion]:
    """Return the versions, with `OUR_KEY` as the author of those that one of our actors made."""
    corrected = []
    for version in versions:
        if version.whose is AuthorKind.ELSEWHERE and version.name in our_actors:
            corrected.append(replace(version, whose=AuthorKind.OUR_KEY))
        else:
            corrected.append(version)
    return corrected


def count_our_actors(row: Annotation, delivered: Sequence[Change]) -> Counter[str]:
    """Count the actors that Mixpeek recorded for our deliveries to this annotation."""
    actors = {edit["version"] + 1: edit["edited_by"] for edit in row.revisions}
    actors[1] = row.actor_id

    counts: Counter[str] = Counter()
    for version in upstream_versions(row, delivered):
        actor = actors.get(version.version)
        if version.whose is AuthorKind.OURS and actor:
            counts[actor] += 1
    return counts


def versions_from_revisions(row: Annotation) -> Iterator[UpstreamVersion]:
    """Yield the versions, newest first, without our authors; stop where a revision is missing."""
    values = dict(row.upstream)
    version = row.version or 0

    for edit in reversed(row.revisions):
        if edit["version"] != version - 1:
            return

        before = dict(values)
        for name, value in edit["prior"].items():
            is_blank = value is None and name in BLANK_VALUES
            before[name] = BLANK_VALUES[name] if is_blank else value

        changes = {}
        for name in edit["prior"]:
            if name in BLANK_VALUES:
                changes[name] = [before.get(name), values.get(name)]

        edited_at = edit["edited_at"]
        yield UpstreamVersion(
            version=version,
            changes=changes,
            at=datetime.fromisoformat(edited_at) if edited_at else None,
            whose=_author_kind(edit["edited_by_type"]),
            name=edit["edited_by"],
            kind=edit["edited_by_type"],
            decision_id=edit.get("decision_id", ""),
            outcome=edit.get("outcome", ""),
            reason=edit.get("reason", ""),
        )
        values = before
        version = edit["version"]

    if version == 1:
        changes = {}
        for name in BLANK_VALUES:
            if values.get(name) not in (None, "", {}):
                changes[name] = [None, values[name]]

        yield UpstreamVersion(
            version=1,
            changes=changes,
            at=row.created_at,
            whose=_author_kind(row.actor_type),
            name=row.actor_id,
            kind=row.actor_type,
        )


def _author_kind(actor_type: str) -> AuthorKind:
    if actor_type == _MACHINE:
        return AuthorKind.MACHINE
    return AuthorKind.ELSEWHERE
