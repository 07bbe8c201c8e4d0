"""What Mixpeek's records prove of a write. Pure: takes what was read, sent and returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reviewapp.annotations.mirror.from_upstream import prior_values, values_of
from reviewapp.json_values import is_same_json
from reviewapp.mixpeek.records import AnnotationRecord, RevisionRecord


def missing_fields(reply: AnnotationRecord, sent: Mapping[str, Any]) -> dict[str, str]:
    """Return a message for each sent field that the reply does not hold; empty when all are."""
    values = values_of(reply)
    messages = {}
    for name, sent_value in sent.items():
        value = values.get(name)
        if not is_same_json(value, sent_value):
            messages[name] = f"Mixpeek still has {value!r}."
    return messages


def version_after_write(
    read: AnnotationRecord,
    latest: AnnotationRecord,
    sent: Mapping[str, Any],
) -> AnnotationRecord | None:
    """Return the annotation as it was when it first held what we sent, or None if it never did.

    `latest` was read some time after the write, so others may have edited it since: its revisions
    lead back. A server without versions can only show the latest values.
    """
    earliest_match = None
    if not missing_fields(latest, sent):
        earliest_match = latest

    record = latest
    revisions = sorted(latest.revisions, key=lambda revision: revision.version, reverse=True)
    for revision in revisions:
        if read.version is None or record.version is None:
            break
        if not read.version < revision.version < record.version:
            break

        older = [other for other in latest.revisions if other.version < revision.version]
        record = replace(
            record,
            version=revision.version,
            revisions=tuple(older),
            **prior_values(revision.prior),
        )
        if not missing_fields(record, sent):
            earliest_match = record
    return earliest_match


def lost_update(read: AnnotationRecord, reply: AnnotationRecord) -> dict[str, Any] | None:
    """Return what was changed between our read and our write, or None when nothing was.

    A PATCH makes the next version, so a jump means that somebody else made the ones before it. The
    revision that our own edit left behind (`version` = reply's minus one) holds what we wrote over:
    where it differs from what we had read, the other party's values were lost. Servers without
    versions cannot show this.
    """
    if read.version is None or reply.version is None:
        return None
    if reply.version <= read.version + 1:
        return None

    revisions = {revision.version: revision for revision in reply.revisions}
    our_revision = revisions.get(reply.version - 1)
    their_revision = revisions.get(reply.version - 2)

    lost = {}
    if our_revision:
        values_read = values_of(read)
        for name, value in prior_values(our_revision.prior).items():
            if not is_same_json(value, values_read[name]):
                lost[name] = value

    author = ""
    if their_revision:
        author = their_revision.edited_by
    return {"read": read.version, "now": reply.version, "lost": lost, "by": author}


def overwritten_by_retry(
    read: AnnotationRecord,
    *,
    fields: Mapping[str, Any],
    base: Mapping[str, Any],
    since: int | None,
) -> dict[str, Any] | None:
    """Return what an earlier attempt of the same change, its reply lost, wrote over; else None.

    The newest edit from version `since` on that set nothing but `fields`, to these values, is taken
    for that attempt: where it replaced a value that `base` does not hold, somebody had got in
    between. The result has the form of `lost_update`.
    """
    oldest_version = since or 0
    edits = [edit for edit in read.revisions if edit.version >= oldest_version]
    if not edits:
        return None
    edits.sort(key=lambda edit: edit.version, reverse=True)
    position = _position_of_attempt(edits, values_of(read), fields)
    if position is None:
        return None

    attempt = edits[position]
    edits_before = edits[position + 1 :]
    lost = {}
    for name, value in prior_values(attempt.prior).items():
        if name in fields and name in base and not is_same_json(value, base[name]):
            lost[name] = value
    if not lost:
        return None

    # Somebody else who set the very same values looks the same and is reported, too.
    author = ""
    for edit in edits_before:
        if not lost.keys().isdisjoint(edit.prior):
            author = edit.edited_by
            break
    return {"read": since, "now": attempt.version + 1, "lost": lost, "by": author}


def _position_of_attempt(
    edits: Sequence[RevisionRecord],
    newest_values: Mapping[str, Any],
    fields: Mapping[str, Any],
) -> int | None:
    """Return the position of the newest edit that set nothing but `fields`, to these values.

    `edits` are the newest first; `newest_values` are the values after the newest edit.
    """
    # The stamp is in one of the two objects.
    may_be_set = {*fields, "payload", "metadata"}
    # The values after each edit, going back from the newest.
    values = dict(newest_values)
    for position, edit in enumerate(edits):
        prior = prior_values(edit.prior)
        names = fields.keys() & prior.keys()
        holds_what_was_sent = all(is_same_json(values[name], fields[name]) for name in names)
        if names and may_be_set.issuperset(prior) and holds_what_was_sent:
            return position
        values |= prior
    return None
