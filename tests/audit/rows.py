"""Rows to write history about."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from reviewapp.annotations.models import Annotation
from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Retriever


def retriever(**fields: Any) -> Retriever:
    """Return a saved retriever."""
    wanted = {"retriever_id": "ret_1", "name": "Logos", "seen_at": timezone.now()} | fields
    return Retriever.objects.create(**wanted)


def annotation(**fields: Any) -> Annotation:
    """Return a saved annotation of document `doc_1`, labelled `cat`."""
    return Annotation.objects.create(**unsaved(**fields))


def unsaved(**fields: Any) -> dict[str, Any]:
    """Return the columns of such an annotation."""
    plain = {"ref": "annotations/ann_1", "document_id": "doc_1", "label": "cat", "confidence": 0.5}
    return plain | {"seen_at": timezone.now()} | fields


def change(**fields: Any) -> Change:
    """Return a saved promise to set the label of `annotations/ann_1` to `dog`."""
    wanted = {"ref": "annotations/ann_1", "fields": {"label": "dog"}, "base": {"label": "cat"}, "due": timezone.now()}
    return Change.objects.create(**wanted | fields)
