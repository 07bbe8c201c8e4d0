"""One line of a data file turned into what is kept: checked, and brought to the current spelling;
pure.

Exports in the 2025-10 spelling (`name`, `pipeline_id`, stage `name`, `config.stage_name`) load as
well. A document may hold its own fields at the root, under `payload`, or as `content` with
`metadata`; it is kept as it is.
"""

from __future__ import annotations

from typing import Any

from tools.sandbox.rules.validation import Field, Json, complaints_about
from tools.sandbox.store import packed

FILES = ("retrievers.jsonl", "documents.jsonl", "executions.jsonl", "annotations.jsonl")
INPUT_TYPES = (
    *(
        "string",
        "number",
        "integer",
        "float",
        "boolean",
        "object",
        "array",
        "date",
        "datetime",
        "text",
    ),
    *("image", "audio", "video", "pdf", "excel", "document_reference"),
)
STAGE_TYPES = ("filter", "sort", "reduce", "apply", "enrich")

_ID = Field(kind="text", nullable=False, required=True, least=1)
_TEXT = Field(kind="text")
_OBJECT = Field(kind="object")
_INSTANT = Field(kind="instant")
_REVISION = {
    "version": Field(kind="integer", nullable=False, required=True, least=1),
    "prior": Field(kind="object", nullable=False, required=True),
    "edited_at": Field(kind="instant", nullable=False, required=True),
    "edited_by": Field(kind="text", nullable=False, required=True),
    "edited_by_type": Field(kind="text", nullable=False, required=True),
}
LABEL = Field(kind="text", least=1, most=100)
EDITABLE = {
    "label": LABEL,
    "confidence": Field(kind="number", least=0, most=1),
    "reasoning": Field(kind="text", most=5000),
    "payload": _OBJECT,
    "metadata": _OBJECT,
}
_LINKS = ("collection_id", "retriever_id", "execution_id", "stage_name")
_ANNOTATION = {
    **EDITABLE,
    **dict.fromkeys(_LINKS, _TEXT),
    "annotation_id": _ID,
    "document_id": _ID,
    "namespace_id": _TEXT,
    "label": Field(kind="text", nullable=False, required=True, least=1, most=100),
    "actor_id": _TEXT,
    "actor_type": _TEXT,
    "created_at": _INSTANT,
    "updated_at": _INSTANT,
    "version": Field(kind="integer", least=1),
    "revisions": Field(kind="array"),
}
_DOCUMENT = {
    "document_id": _ID,
    "collection_id": _TEXT,
    "namespace_id": _TEXT,
    "_internal": _OBJECT,
}
_RETRIEVER = {
    "retriever_id": _ID,
    "retriever_name": _ID,
    "namespace_id": _TEXT,
    "description": _TEXT,
    "stages": Field(kind="array", nullable=False, required=True, least=1),
    "input_schema": _OBJECT,
    "budget_limits": _OBJECT,
    "metadata": _OBJECT,
    "tags": Field(kind="array", items=Field(kind="text", nullable=False)),
    "collection_identifiers": Field(kind="array", items=Field(kind="text", nullable=False)),
    "version": Field(kind="integer", least=1),
    "is_published": Field(kind="boolean"),
    "marketplace_listing_id": _TEXT,
    "visibility": Field(kind="text", among=("private", "public", "marketplace")),
    "fusion": _TEXT,
    "display_config": _OBJECT,
    "feature_dependencies": Field(kind="array", items=_OBJECT),
    "created_at": _INSTANT,
    "updated_at": _INSTANT,
    "created_by": _TEXT,
    "updated_by": _TEXT,
}
# What a retriever has where its row says nothing.
_RETRIEVER_DEFAULTS: Json = {
    "description": None,
    "budget_limits": None,
    "feature_dependencies": None,
    "tags": [],
    "metadata": None,
    "display_config": None,
    "created_at": None,
    "updated_at": None,
    "created_by": None,
    "updated_by": None,
    "fusion": None,
    "visibility": "private",
    "is_published": False,
    "marketplace_listing_id": None,
}
_STAGE = {
    "stage_name": _ID,
    "config": Field(kind="object", nullable=False, required=True),
    "stage_type": Field(kind="text", among=STAGE_TYPES),
    "on_error": Field(kind="text", among=("skip", "error")),
}
_INPUT = {
    "type": Field(kind="text", nullable=False, required=True, among=INPUT_TYPES),
    "required": Field(kind="boolean", nullable=False),
    "enum": Field(kind="array"),
}
_EXECUTION = {"execution_id": _ID, "retriever_id": _ID, "status": _ID, "created_at": _INSTANT}


class RowError(Exception):
    """The line is not such a row; the message says why."""


def named_namespace(row: Json) -> str:
    """Return the namespace that a row carries, which may stand under `_internal`; "" for none."""
    internal = row.get("_internal")
    places = [row.get("namespace_id")]
    if isinstance(internal, dict):
        places.append(internal.get("namespace_id"))
    for place in places:
        if place and isinstance(place, str):
            return place
    return ""


def annotation_row(row: Json, namespace: str) -> tuple[Any, ...]:
    """Return the columns of an annotation."""
    _check(row, _ANNOTATION)
    for revision in row.get("revisions") or []:
        _check(revision, _REVISION, "revisions")
    kept = {
        **dict.fromkeys((*_LINKS, *EDITABLE)),
        **row,
        "namespace_id": named_namespace(row) or namespace,
        "actor_id": row.get("actor_id") or "system",
        "actor_type": row.get("actor_type") or "system",
        "version": row.get("version") or 1,
        "revisions": row.get("revisions") or [],
    }
    return annotation_columns(kept)


def annotation_columns(kept: Json) -> tuple[Any, ...]:
    """Return the columns of an annotation that is already in our spelling."""
    columns = (
        "namespace_id",
        "annotation_id",
        "document_id",
        "collection_id",
        "label",
        "actor_id",
        "retriever_id",
    )
    return (*(kept[column] for column in columns), packed(kept))


def document_row(row: Json, namespace: str) -> tuple[Any, ...]:
    """Return the columns of a document; its namespace may stand under `_internal`."""
    _check(row, _DOCUMENT)
    metadata, payload = (row.get(key) or {} for key in ("metadata", "payload"))
    collection = row.get("collection_id")
    for envelope in (payload, metadata):
        if (
            not collection
            and isinstance(envelope, dict)
            and isinstance(envelope.get("collection_id"), str)
        ):
            collection = envelope["collection_id"]
    home = named_namespace(row) or namespace
    return home, row["document_id"], collection, packed(row)


def retriever_row(row: Json, namespace: str) -> tuple[Any, ...]:
    """Return the columns of a retriever, brought to the current spelling."""
    kept = dict(row)
    for current, older in (("retriever_id", "pipeline_id"), ("retriever_name", "name")):
        if current not in kept and older in kept:
            kept[current] = kept.pop(older)
    collections = kept.get("collection_identifiers") or kept.get("collection_ids") or []
    _check(kept, _RETRIEVER)
    kept["stages"] = [check_stage(stage) for stage in kept["stages"]]
    kept["input_schema"] = kept.get("input_schema") or {}
    for name, declared in kept["input_schema"].items():
        _check(declared, _INPUT, f"input_schema.{name}")
    home = named_namespace(kept) or namespace
    kept |= {"collection_ids": collections, "collection_identifiers": collections}
    kept = {**_RETRIEVER_DEFAULTS, **kept}
    kept["version"] = kept.get("version") or 1
    kept.pop("namespace_id", None)
    return home, kept["retriever_id"], kept["retriever_name"], packed(kept)


def check_stage(stage: Any) -> Json:
    """Return the stage in the current spelling; raises `RowError`."""
    if not isinstance(stage, dict):
        raise RowError("stages: each should be an object")
    kept = dict(stage)
    if "stage_name" not in kept and "name" in kept:
        kept["stage_name"] = kept.pop("name")
    _check(kept, _STAGE, "stages")
    config = dict(kept["config"])
    if "stage_id" not in config and "stage_name" in config:
        config["stage_id"] = config.pop("stage_name")
    _check(config, {"stage_id": _ID, "parameters": _OBJECT}, "stages.config")
    config["parameters"] = config.get("parameters") or {}
    return {**kept, "config": config, "parameters": config["parameters"]}


def execution_row(row: Json, namespace: str) -> tuple[Any, ...]:
    """Return the columns of an execution of the past."""
    _check(row, _EXECUTION)
    home = named_namespace(row) or namespace
    return home, row["execution_id"], row["retriever_id"], row["status"], packed(row)


def _check(row: Any, fields: dict[str, Field], under: str = "") -> None:
    for complaint in complaints_about(row, fields, strict=False, at=(under,) if under else ()):
        raise RowError(
            f"{'.'.join(map(str, complaint.location))}: {complaint.message}".removeprefix(": "),
        )
