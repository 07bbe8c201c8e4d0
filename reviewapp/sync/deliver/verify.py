"""What Mixpeek's records prove of what we sent. Pure: what was read, what was sent, what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reviewapp.annotations.mirror.from_upstream import kept_of, values_of
from reviewapp.json_values import same
from reviewapp.mixpeek.records import AnnotationRecord


def unproven(reply: AnnotationRecord, sent: Mapping[str, Any]) -> dict[str, str]:
    """Return a sentence for each field that the reply does not hold as it was sent; empty when all is proven."""
    now = values_of(reply)
    return {
        name: f"Mixpeek still has {now.get(name)!r}." for name, want in sent.items() if not same(now.get(name), want)
    }


def landed(read: AnnotationRecord, now: AnnotationRecord, sent: Mapping[str, Any]) -> AnnotationRecord | None:
    """Return the annotation as it stood when it first held what we sent, or None when it never did.

    `now` was read some time after the write, so others may have gone on from there: its revisions lead back. A server
    without versions can only show what holds now.
    """
    found, one = (now if not unproven(now, sent) else None), now
    for revision in sorted(now.revisions, key=lambda revision: revision.version, reverse=True):
        if read.version is None or one.version is None or not read.version < revision.version < one.version:
            break
        older = tuple(each for each in now.revisions if each.version < revision.version)
        one = replace(one, version=revision.version, revisions=older, **kept_of(revision.prior))
        found = one if not unproven(one, sent) else found
    return found


def race(read: AnnotationRecord, reply: AnnotationRecord) -> dict[str, Any] | None:
    """Return what happened between our read and our write, or None when nobody got in between.

    A PATCH makes the next version, so a jump means that somebody else made the ones before it. The revision our own
    edit left behind (`version` = reply's minus one) holds what we wrote over: where it differs from what we had read,
    those are the other party's lost values. Servers without versions cannot tell.
    """
    if read.version is None or reply.version is None or reply.version <= read.version + 1:
        return None
    before = {revision.version: revision for revision in reply.revisions}
    ours, theirs = before.get(reply.version - 1), before.get(reply.version - 2)
    seen = values_of(read)
    overwritten = kept_of(ours.prior) if ours else {}
    return {
        "read": read.version,
        "now": reply.version,
        "lost": {name: value for name, value in overwritten.items() if not same(value, seen[name])},
        "by": theirs.edited_by if theirs else "",
    }


def replaced(
    read: AnnotationRecord, *, fields: Mapping[str, Any], base: Mapping[str, Any], since: int | None
) -> dict[str, Any] | None:
    """Return what an earlier send of the same change, its answer lost, wrote over unseen; None if it did no such thing.

    The newest edit from version `since` on that set nothing but `fields`, and those as wanted, is taken for that send:
    where it replaced what `base` does not hold, somebody got in between then. Looks like what `race` returns.
    """
    after = values_of(read)
    edits = sorted((edit for edit in read.revisions if edit.version >= (since or 0)), key=lambda edit: -edit.version)
    for number, edit in enumerate(edits):
        prior = kept_of(edit.prior)
        set_now = [name for name in prior if name in fields]
        if (
            set_now
            and {*prior} <= {*fields, "payload", "metadata"}
            and all(same(after[name], fields[name]) for name in set_now)
        ):
            lost = {name: prior[name] for name in set_now if name in base and not same(prior[name], base[name])}
            by = next((each.edited_by for each in edits[number + 1 :] if {*lost} & {*each.prior}), "")
            # That somebody else set the very same is told like this too: the two cannot be told apart.
            return {"read": since, "now": edit.version + 1, "lost": lost, "by": by} if lost else None
        after |= prior
    return None
