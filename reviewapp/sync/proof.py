"""What Mixpeek's reply to a PATCH proves. Pure: the record we read, what we sent, the record that came back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reviewapp.annotations.said import values_of
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox.merge import same


def unproven(reply: AnnotationRecord, sent: Mapping[str, Any]) -> dict[str, str]:
    """Return a sentence for each field that the reply does not hold as it was sent; empty when all is proven."""
    now = values_of(reply)
    return {
        name: f"Mixpeek still has {now.get(name)!r}." for name, want in sent.items() if not same(now.get(name), want)
    }


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
    overwritten = ours.prior if ours else {}
    return {
        "read": read.version,
        "now": reply.version,
        "lost": {name: value for name, value in overwritten.items() if name in seen and not same(value, seen[name])},
        "by": theirs.edited_by if theirs else "",
    }
