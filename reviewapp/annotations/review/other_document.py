"""The other documents that an item names by their ids, such as what it may be a duplicate of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reviewapp.annotations.models import Annotation
from reviewapp.retrievers.documents.document_diff import DocumentDiff, document_diff
from reviewapp.retrievers.documents.evidence import Evidence, evidence
from reviewapp.retrievers.documents.mentions import Mention, possible_mentions

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class HeldDocument:
    """A document that is here. `item` is the key of an annotation of it, None without one.

    `label` and `status` are those of that annotation.
    """

    document_id: str
    snapshot: Row
    item: int | None
    label: str
    status: str


@dataclass(frozen=True, kw_only=True)
class OtherDocument:
    """Another document of the item's collection, beside which the item is judged.

    `mentions` are the places of the item that hold its id. `diff` leads from the item's document to
    this one, None where the item's document is not here.
    """

    held: HeldDocument
    mentions: Sequence[Mention]
    evidence: Evidence
    diff: DocumentDiff | None


def mentions_of(annotation: Annotation) -> dict[str, list[Mention]]:
    """Return where the annotation may name other documents, by the text that may be an id."""
    snapshot = annotation.result.snapshot if annotation.result else {}
    return possible_mentions(annotation.payload, snapshot, own_id=annotation.document_id)


def build_held_document(row: Row) -> HeldDocument:
    """Return the document of a row, whose `item` has the annotation's `id`, `label`, `status`."""
    item = row["item"] or {}
    return HeldDocument(
        document_id=row["document_id"],
        snapshot=row["snapshot"],
        item=item.get("id"),
        label=item.get("label", ""),
        status=item.get("status", ""),
    )


def build_other_document(
    held: HeldDocument,
    mentions: Sequence[Mention],
    snapshot: Row | None,
    *,
    query_words: Sequence[str],
) -> OtherDocument:
    """Return the document as it is shown beside the item, whose document is `snapshot`."""
    diff = None
    if snapshot is not None:
        diff = document_diff(snapshot, held.snapshot)

    return OtherDocument(
        held=held,
        mentions=mentions,
        evidence=evidence(held.snapshot, query_words=query_words),
        diff=diff,
    )
