"""Factories of rows: each fills in the values that a test does not care about."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from reviewapp.annotations.fields import FIELDS, Kind
from reviewapp.annotations.models import Annotation, Export, Lease, SetAside
from reviewapp.mixpeek.records import AnnotationRecord
from reviewapp.outbox.models import Change
from reviewapp.outbox.settle import Settlement, settle
from reviewapp.retrievers.models import Execution, Result, Retriever

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_numbers = itertools.count(1)


def make_retriever(name: str = "Brand triage", **values: Any) -> Retriever:
    """Return a stored retriever."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "retriever_id": f"ret_{number:04}",
        "name": name,
        "seen_at": LONG_AGO,
        "version": 3,
    }
    return Retriever.objects.create(**defaults | values)


@pytest.fixture
def retriever(db: None) -> Retriever:
    """A stored retriever with a description of two lines and two tags."""
    return make_retriever(description="Finds\nlogos", tags=["logos", "vans"])


def make_execution(retriever: Retriever | None = None, **values: Any) -> Execution:
    """Return a stored execution, completed."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "retriever": retriever or make_retriever(),
        "execution_id": f"exec_{number:04}",
        "inputs": {"query": "logo"},
        "status": "completed",
        "created_at": LONG_AGO,
    }
    return Execution.objects.create(**defaults | values)


def make_result(retriever: Retriever | None = None, **values: Any) -> Result:
    """Return a stored result; its digest is right for its snapshot."""
    number = next(_numbers)
    document = {"title": f"Document {number}", "text": "A blue logo on a van."}
    snapshot = values.pop("snapshot", document)
    canonical = json.dumps(snapshot, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    defaults: dict[str, Any] = {
        "retriever": retriever,
        "snapshot": snapshot,
        "document_id": f"doc_{number:04}",
        "collection_id": "col_photos",
        "rank": 1,
        "score": 0.5,
        "digest": hashlib.sha256(canonical.encode()).hexdigest(),
    }
    return Result.objects.create(**defaults | values)


def make_annotation(retriever: Retriever | None = None, **values: Any) -> Annotation:
    """Return a stored annotation, waiting, as the machine proposed it, except for `values`.

    `retriever` is made when not given. `upstream` and `proposed` follow the fields.
    """
    number = next(_numbers)
    proposal: dict[str, Any] = {}
    for name, field in FIELDS.items():
        default = {"label": "logo", "confidence": 0.5}.get(name, field.blank)
        proposal[name] = values.pop(name, default)
    defaults: dict[str, Any] = {
        "ref": f"annotations/ann_{number:04}",
        "annotation_id": f"ann_{number:04}",
        "document_id": f"doc_{number:04}",
        "collection_id": "col_photos",
        "version": 1,
        "upstream": proposal,
        "proposed": proposal,
        "actor_id": "system",
        "actor_type": "system",
        "created_at": LONG_AGO + timedelta(minutes=number),
        "updated_at": LONG_AGO + timedelta(minutes=number),
        "seen_at": LONG_AGO,
        "title": f"Document {number}",
        "excerpt": "A blue logo on a van.",
    }
    return Annotation.objects.create(
        retriever=retriever or make_retriever(),
        **proposal,
        **defaults | values,
    )


def make_export(**values: Any) -> Export:
    """Return a stored export of all decisions as CSV, which nobody has downloaded."""
    options = {"with_snapshot": False, "grades": {}, "zone": "UTC"}
    defaults = {"kind": "decisions", "format": "csv", "options": options}
    return Export.objects.create(**defaults | values)


def distinct_values(which: int) -> dict[str, Any]:
    """Return a value for each field of the table; `which`, 0 or 1, gives two sets that differ."""
    examples: dict[str, Any] = {}
    for name, field in FIELDS.items():
        if field.kind is Kind.TEXT:
            examples[name] = f"{name} {which}"
        elif field.kind is Kind.OBJECT:
            examples[name] = {"number": which}
        else:
            examples[name] = (field.minimum or 0) + which
    return examples


def make_change(annotation: Annotation, state: str = "queued", **values: Any) -> Change:
    """Return a stored change of the annotation's label, in that state."""
    defaults = {
        "ref": annotation.ref,
        "fields": {"label": annotation.label},
        "base": annotation.upstream,
        "base_version": annotation.version,
        "state": state,
        "due": LONG_AGO,
        "settled_at": None if state == "queued" else LONG_AGO,
    }
    return Change.objects.create(**defaults | values)


def make_bare_annotation(**values: Any) -> Annotation:
    """Return a stored annotation with the columns of `bare_annotation` and without a retriever.

    Its history holds its own creation and nothing else.
    """
    return Annotation.objects.create(**bare_annotation(**values))


def bare_annotation(**values: Any) -> dict[str, Any]:
    """Return the required columns of an annotation of document `doc_1` with the label `cat`."""
    columns: dict[str, Any] = {
        "ref": "annotations/ann_1",
        "document_id": "doc_1",
        "label": "cat",
        "confidence": 0.5,
        "seen_at": timezone.now(),
    }
    return columns | values


def annotation_record(annotation_id: str = "ann_1", **values: Any) -> AnnotationRecord:
    """Return an annotation as Mixpeek's client reads it: version 1, of document `doc_1`."""
    fields: dict[str, Any] = {
        "document_id": "doc_1",
        "namespace_id": "ns",
        "label": "logo",
        "version": 1,
    }
    return AnnotationRecord(annotation_id=annotation_id, **fields | values)


def make_bare_change(**values: Any) -> Change:
    """Return a stored change of a label from `cat` to `dog`; its annotation need not exist."""
    defaults: dict[str, Any] = {
        "ref": "annotations/ann_1",
        "fields": {"label": "dog"},
        "base": {"label": "cat"},
        "due": timezone.now(),
    }
    return Change.objects.create(**defaults | values)


def settle_as_delivered(change: Change, **facts: Any) -> bool:
    """Settle one change as delivered; `facts` are fields of `Settlement`."""
    return _settle(change, Change.State.DELIVERED, **facts)


def settle_as_conflict(
    change: Change,
    *,
    theirs: Mapping[str, Any],
    reason: str,
    **facts: Any,
) -> bool:
    """Settle one change as a conflict with the values of `theirs`."""
    return _settle(change, Change.State.CONFLICT, theirs=theirs, reason=reason, **facts)


def settle_as_refused(change: Change, *, reason: str, **facts: Any) -> bool:
    """Settle one change as refused by Mixpeek."""
    return _settle(change, Change.State.REFUSED, reason=reason, **facts)


def make_lease(annotation: Annotation, holder: User, *, seconds: float = 600) -> Lease:
    """Return a lease that `holder` has for so many seconds more (negative: run out)."""
    until = timezone.now() + timedelta(seconds=seconds)
    return Lease.objects.create(annotation=annotation, holder=holder, until=until)


def make_set_aside(
    annotation: Annotation,
    person: User,
    kind: str = "deferred",
    reason: str = "",
) -> SetAside:
    """Return the row that says `person` deferred (or skipped) the annotation."""
    return SetAside.objects.create(annotation=annotation, person=person, kind=kind, reason=reason)


def _settle(change: Change, state: Change.State, **facts: Any) -> bool:
    settlement = Settlement(change=change, state=state, **facts)
    return bool(settle([settlement]))
