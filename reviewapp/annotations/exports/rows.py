"""The rows of an export, read through a server-side cursor: memory stays constant.

Times are `datetime` values in UTC; `formats.py` writes them in the reader's zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import reverse

from reviewapp.annotations.fields import FIELDS, STORED_FIELDS, Kind
from reviewapp.annotations.value_authorship import machine_words
from reviewapp.outbox.models import Change
from reviewapp.retrievers.documents.layout import text_leaves
from reviewapp.retrievers.models import Execution

if TYPE_CHECKING:
    from reviewapp.annotations.querysets import AnnotationQuerySet, DecisionQuerySet
    from reviewapp.audit.querysets import EventQuerySet

Row = dict[str, Any]

_BATCH_SIZE = 1000
# A spreadsheet has no column for an object, which is in the other formats.
_PLAIN_FIELDS = tuple(name for name, field in FIELDS.items() if field.kind is not Kind.OBJECT)

DECISION_COLUMNS = (
    "document_id", "title", "query", "machine_label", "machine_confidence", "label_before",
    "outcome", *_PLAIN_FIELDS, "machine_words", "person", "decided_at", "seconds", "state",
    "delivery", "mixpeek_version", "retriever", "retriever_id", "retriever_version", "rank",
    "score", "annotation_id", "execution_id", "decision_id", "permalink",
)  # fmt: skip
LABEL_COLUMNS = (
    "document_id", "title", "query", *_PLAIN_FIELDS, "status", "person", "decided_at",
    "retriever", "retriever_id", "rank", "score", "annotation_id", "execution_id",
    "mixpeek_version", "permalink",
)  # fmt: skip
HISTORY_COLUMNS = (
    "at", "actor_id", "actor_name", "action", "ref", "retriever_id", "origin", "request_id",
    "label_from", "label_to", "note", "changes",
)  # fmt: skip

_CHANGE = Change.objects.filter(cause=OuterRef("decision_id"))
_EXECUTION = "annotation__execution_id"
_DECISION_VALUES = (
    "pk", "decision_id", "outcome", *FIELDS, "base", "base_version", "document_digest",
    "own_words", "seconds", "created_at", "retriever_version",
    "reviewer__username", "undo__at", "label_set__version", "guidelines__version",
    "result__rank", "result__score",
    "annotation__decision_id", "annotation__annotation_id", "annotation__document_id",
    "annotation__title", "annotation__proposed", _EXECUTION,
    "annotation__retriever__name", "annotation__retriever__retriever_id",
)  # fmt: skip
_LABEL_VALUES = (
    "pk", "annotation_id", "document_id", "title", *STORED_FIELDS,
    "proposed", "status", "version", "decided_at", "execution_id",
    "reviewer__username", "retriever__name", "retriever__retriever_id",
    "result__rank", "result__score",
)  # fmt: skip


def decision_rows(
    decisions: DecisionQuerySet,
    *,
    base_url: str,
    with_snapshot: bool = False,
) -> Iterator[Row]:
    """Yield decisions, oldest first, with everything that an export of any format holds."""
    columns = [*_DECISION_VALUES, *(["result__snapshot"] if with_snapshot else [])]
    address = base_url + reverse("decisions")
    queryset = decisions.order_by("pk").values(
        *columns,
        inputs=_inputs(_EXECUTION),
        change_state=Subquery(_CHANGE.values("state")[:1]),
        change_version=Subquery(_CHANGE.values("version")[:1]),
    )
    for values in _read(queryset):
        proposed = values["annotation__proposed"]
        repeated = machine_words(values["own_words"], values, proposed)
        row = {
            "document_id": values["annotation__document_id"],
            "title": values["annotation__title"],
            "query": _query_text(values["inputs"] or {}),
            "machine_label": proposed.get("label", ""),
            "machine_confidence": proposed.get("confidence"),
            "label_before": str(values["base"].get("label") or ""),
            "outcome": values["outcome"],
            **_select(values, FIELDS),
            "machine_words": ", ".join(repeated),
            "person": values["reviewer__username"],
            "decided_at": values["created_at"],
            "seconds": values["seconds"],
            "state": _state(values),
            "delivery": values["change_state"],
            "mixpeek_version": values["change_version"],
            "retriever": values["annotation__retriever__name"],
            "retriever_id": values["annotation__retriever__retriever_id"],
            "retriever_version": values["retriever_version"],
            "rank": values["result__rank"],
            "score": values["result__score"],
            "annotation_id": values["annotation__annotation_id"],
            "execution_id": values[_EXECUTION],
            "decision_id": str(values["decision_id"]),
            "permalink": f"{address}/{values['pk']}",
            "base": values["base"],
            "base_version": values["base_version"],
            "inputs": values["inputs"],
            "proposal": proposed,
            "labels_version": values["label_set__version"],
            "guidelines_version": values["guidelines__version"],
            "document_digest": values["document_digest"],
            "own_words": values["own_words"],
            "undone_at": values["undo__at"],
        }
        if with_snapshot:
            row["snapshot"] = values["result__snapshot"]
        yield row


def label_rows(
    annotations: AnnotationQuerySet,
    *,
    base_url: str,
    with_snapshot: bool = False,
) -> Iterator[Row]:
    """Yield annotations with their current values, oldest first."""
    columns = [*_LABEL_VALUES, *(["result__snapshot"] if with_snapshot else [])]
    address = base_url + reverse("queue")
    queryset = annotations.order_by("pk").values(*columns, inputs=_inputs("execution_id"))
    for values in _read(queryset):
        row = {
            "document_id": values["document_id"],
            "title": values["title"],
            "query": _query_text(values["inputs"] or {}),
            **_select(values, STORED_FIELDS),
            "status": values["status"],
            "person": values["reviewer__username"],
            "decided_at": values["decided_at"],
            "retriever": values["retriever__name"],
            "retriever_id": values["retriever__retriever_id"],
            "rank": values["result__rank"],
            "score": values["result__score"],
            "annotation_id": values["annotation_id"],
            "execution_id": values["execution_id"],
            "mixpeek_version": values["version"],
            "permalink": f"{address}/{values['pk']}",
            "inputs": values["inputs"],
            "proposal": values["proposed"],
        }
        if with_snapshot:
            row["snapshot"] = values["result__snapshot"]
        yield row


def history_rows(events: EventQuerySet) -> Iterator[Row]:
    """Yield events, newest first."""
    yield from _read(events.values(*HISTORY_COLUMNS))


def _select(values: Row, names: Iterable[str]) -> Row:
    return {name: values[name] for name in names}


def _query_text(inputs: dict[str, Any]) -> str:
    """Return the inputs of a run in one line: the text of a single one, else each with its name."""
    leaves = [(path, text) for path, text in text_leaves(inputs) if text]
    if len(leaves) == 1:
        return leaves[0][1]
    return ", ".join(f"{path}: {text}" for path, text in leaves)


def _inputs(execution_id: str) -> Subquery:
    """Return the inputs of the run that a column names."""
    executions = Execution.objects.filter(execution_id=OuterRef(execution_id))
    return Subquery(executions.values("inputs")[:1])


def _read(queryset: QuerySet[Any, Row]) -> Iterator[Row]:
    return queryset.iterator(chunk_size=_BATCH_SIZE)


def _state(values: Row) -> str:
    if values["undo__at"] is not None:
        return "undone"
    if values["annotation__decision_id"] == values["pk"]:
        return "in_force"
    return "replaced"
