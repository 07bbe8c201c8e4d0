"""Executing a retriever, and the executions of the past.

A cursor continues its execution: the further pages carry the same `execution_id` and the run is
recorded once. Rows are not retained, as upstream.
"""

from __future__ import annotations

import time

from tools.sandbox.errors import Complaint, Invalid, bad_request, not_found
from tools.sandbox.request import Call
from tools.sandbox.resources.documents import with_collection
from tools.sandbox.resources.events import record
from tools.sandbox.resources.retrievers import find, orders_of, pager, sort_rows
from tools.sandbox.rules.conditions import StageError, build_condition
from tools.sandbox.rules.paging import execute_pagination, execute_window, fingerprint
from tools.sandbox.rules.pipeline import Outcome, run
from tools.sandbox.rules.stages import Candidate
from tools.sandbox.rules.templates import resolve_inputs
from tools.sandbox.rules.validation import Field, Json
from tools.sandbox.store import new_id, now, packed

_FLAG = Field(kind="boolean")
_TEXT = Field(kind="text")
_OBJECT = Field(kind="object")
_EXECUTE = {
    "inputs": _OBJECT,
    "filters": _OBJECT,
    "pagination": _OBJECT,
    "limit": Field(kind="integer", least=1, most=500),
    "page_size": Field(kind="integer", least=1, most=500),
    "expand": Field(kind="array"),
    **dict.fromkeys(
        ("stream", "skip_cache", "return_presigned_urls", "return_vectors", "explain"),
        _FLAG,
    ),
    **dict.fromkeys(("write_token", "consistency", "target_collection_id"), _TEXT),
}
_LIST = {"filters": _OBJECT, "sorts": Field(kind="array"), "status": _TEXT}
_UNSUPPORTED = ("stream", "target_collection_id")
_SUMMARY = (
    "execution_id",
    "status",
    "created_at",
    "completed_at",
    "duration_ms",
    "credits_used",
    "total_processed",
    "total_returned",
    "cache_hit_rate",
    "inputs_hash",
    "query_summary",
    "trace_id",
)
# What the answer to a run says where there is nothing to say: every field of Mixpeek's model.
_SILENT: Json = {
    "warnings": None,
    "degraded": None,
    "limits": None,
    "facets": None,
    "completeness": None,
    "interpretation": None,
    "diagnostics": None,
    "error": None,
    "cache_hit": False,
    "cached_at": None,
    "consistency_mode": None,
    "enrichment_skipped": False,
    "enrichment_skipped_stages": None,
    "enrichment_skip_reason": None,
    "optimization_applied": False,
    "optimization_summary": None,
    "learned_fusion_context": None,
    "written_to": None,
    "explain_plan": None,
}
# What a stored run says besides.
_UNRETAINED: Json = {
    **_SILENT,
    "pagination": {"returned": 0, "total": 0},
    "stage_statistics": {"stages": {}, "total_time_ms": 0.0, "credits_used": 0.0},
    "budget": {"credits_used": 0.0, "credits_remaining": None, "time_used_ms": 0.0},
    "current_stage": None,
    "stages_completed": 0,
    "total_stages": 0,
    "completed_at": None,
    "total_returned": None,
    "trace_id": None,
}


def execute(call: Call) -> Json:
    """Run a retriever and return one page of its documents.

    A stage that fails makes a 200 with `status: failed`.
    """
    request = call.dialect.accept(call.body, _EXECUTE)
    for key in _UNSUPPORTED:
        if request.get(key):
            raise bad_request(f"This sandbox does not do {key!r}")

    retriever = find(call)
    schema = retriever["input_schema"]
    given = request.get("inputs") or {}
    inputs = resolve_inputs(given, schema)
    filters = request.get("filters")
    _check_filters(filters)

    limit = _limit(request)
    run_print = fingerprint(retriever["retriever_id"], inputs, filters)
    default = int((retriever.get("metadata") or {}).get("final_top_k") or 10)
    window = execute_window(request.get("pagination"), limit, run_print, default)

    created_at = now()
    started = time.perf_counter()
    outcome = run(call.store, call.namespace, retriever, inputs, filters)
    elapsed = round((time.perf_counter() - started) * 1000, 3)
    if request.get("expand"):
        outcome.warnings.append("expand: this sandbox expands nothing")
    if limit is not None and limit != window.size:
        warning = f"limit={limit} was not used: pagination asks for {window.size}"
        outcome.warnings.append(warning)

    execution_id = window.execution_id or new_id("exec")
    reply = _reply(execution_id, retriever, outcome, elapsed)
    reply["interpretation"] = _interpretation(given, inputs, schema)
    if window.execution_id is None:
        _record(call, reply, outcome, inputs, created_at)

    page = outcome.ranking[window.start : window.start + window.size]
    presigned = bool(request.get("return_presigned_urls")) or call.flag("return_presigned_urls")
    pagination = execute_pagination(
        window,
        returned=len(page),
        total=len(outcome.ranking),
        execution_id=execution_id,
        print_of_run=run_print,
    )
    return {
        **reply,
        "documents": [_document(call, candidate, presigned) for candidate in page],
        "pagination": pagination,
    }


def _limit(request: Json) -> int | None:
    limit = request.get("limit")
    page_size = request.get("page_size")
    if limit and page_size and limit != page_size:
        complaint = Complaint(
            kind="value_error",
            location=("body", "page_size"),
            message="limit and page_size have different values",
        )
        raise Invalid([complaint])
    return limit or page_size


def _interpretation(given: Json, used: Json, schema: Json) -> Json:
    return {
        "provided_input_keys": sorted(given),
        "inferred_inputs": {name: value for name, value in used.items() if name not in given},
        "ignored_input_keys": sorted(given.keys() - schema.keys()),
        "relaxations": [],
    }


def _check_filters(filters: Json | None) -> None:
    if not filters:
        return
    try:
        build_condition(filters)
    except (StageError, TypeError, AttributeError) as error:
        location = ("body", "filters")
        complaint = Complaint(kind="value_error", location=location, message=str(error))
        raise Invalid([complaint]) from error


def _document(call: Call, candidate: Candidate, presigned: bool) -> Json:
    document = with_collection(candidate.document(), None)
    if presigned:
        document = call.presigned(document)
    if candidate.score is not None:
        document = {**document, "score": candidate.score}
    return document


def _reply(execution_id: str, retriever: Json, outcome: Outcome, elapsed: float) -> Json:
    completeness = "complete" if outcome.status == "completed" else outcome.status
    return {
        **_SILENT,
        "execution_id": execution_id,
        "status": outcome.status,
        "retriever_id": retriever["retriever_id"],
        "stage_statistics": {
            "stages": outcome.stages,
            "total_time_ms": elapsed,
            "credits_used": 0.0,
        },
        "budget": {"credits_used": 0.0, "credits_remaining": None, "time_used_ms": elapsed},
        "warnings": outcome.warnings or None,
        "degraded": outcome.degraded or None,
        "completeness": {"embeddings": "complete", "page": completeness, "overall": completeness},
        "learned_fusion_context": _learned_fusion(retriever),
        # This server answers from the very table it writes.
        "consistency_mode": "strong",
        "error": outcome.error,
    }


def _learned_fusion(retriever: Json) -> Json | None:
    if retriever.get("fusion") != "learned":
        return None
    uris = [_uri(address) for address in retriever.get("feature_dependencies") or []]
    return {
        "context_key": "global",
        "context_level": "global",
        "feature_uris": uris,
        "sampled_weights": {uri: round(1 / len(uris), 6) for uri in uris},
        "effective_exploration": 0.0,
    }


def _uri(address: Json) -> str:
    scheme = address.get("scheme", "mixpeek")
    extractor = address.get("extractor")
    version = address.get("version")
    output = address.get("output")
    return f"{scheme}://{extractor}@{version}/{output}"


def _record(call: Call, reply: Json, outcome: Outcome, inputs: Json, created_at: str) -> None:
    query_summary = ", ".join(f"{key}={value}" for key, value in inputs.items())
    has_failed = outcome.status == "failed"
    execution = {
        **reply,
        "created_at": created_at,
        "completed_at": now(),
        "duration_ms": reply["stage_statistics"]["total_time_ms"],
        "credits_used": 0.0,
        "total_processed": outcome.considered,
        "total_returned": len(outcome.ranking),
        "total_stages": len(outcome.stages) + len(outcome.degraded) + has_failed,
        "stages_completed": len(outcome.stages),
        "inputs_hash": fingerprint(inputs),
        "query_summary": query_summary[:200] or None,
        "trace_id": call.request_id,
    }
    values = (
        call.namespace,
        execution["execution_id"],
        execution["retriever_id"],
        execution["status"],
        packed(execution),
    )
    event = "resource.execution_failed" if has_failed else "resource.executed"
    payload_keys = ("execution_id", "retriever_id", "status", "total_returned")
    payload = {key: execution[key] for key in payload_keys}
    sql = "INSERT INTO executions (namespace_id, execution_id, retriever_id, status, body) VALUES (?, ?, ?, ?, ?)"
    with call.store.writing():
        call.store.db.execute(sql, values)
        record(call, event, payload)


def list_executions(call: Call) -> Json:
    """Return a page of a retriever's executions, newest first unless sorted otherwise."""
    window = pager(call)
    request = call.dialect.accept(call.body, _LIST)
    retriever = find(call)
    status = request.get("status")
    sql = "SELECT body FROM executions WHERE namespace_id = ?1 AND retriever_id = ?2 AND (?3 IS NULL OR status = ?3)"
    rows = list(call.store.bodies(sql, call.namespace, retriever["retriever_id"], status))

    filters = request.get("filters")
    _check_filters(filters)
    if filters:
        condition = build_condition(filters)
        rows = [row for row in rows if condition(row)]

    rows.sort(key=lambda row: str(row.get("created_at")), reverse=True)
    sort_rows(rows, orders_of(request))

    page = rows[window.start : window.start + window.size]
    pagination = {
        "total": len(rows),
        "limit": window.size,
        "offset": window.start,
        "has_next": window.start + len(page) < len(rows),
    }
    return {"results": [_summary(row) for row in page], "pagination": pagination}


def _summary(execution: Json) -> Json:
    """Return a run's row in the list.

    It has the fields of Mixpeek's model, and what a data file has beyond Mixpeek's models.
    """
    counts: Json = {
        "duration_ms": 0.0,
        "credits_used": 0.0,
        "total_processed": 0,
        "total_returned": 0,
    }
    left_out = {*_UNRETAINED, "retriever_id"}
    known = {key: execution.get(key, counts.get(key)) for key in _SUMMARY}
    unknown = {key: value for key, value in execution.items() if key not in left_out}
    return {**unknown, **known}


def get(call: Call) -> Json:
    """Return one execution without its rows (`documents_retained` is false); raises a 404."""
    retriever = find(call)
    execution_id = call.path["execution_id"]
    sql = "SELECT body FROM executions WHERE namespace_id = ? AND execution_id = ? AND retriever_id = ?"
    execution = call.store.body(sql, call.namespace, execution_id, retriever["retriever_id"])
    if execution is None:
        raise not_found("execution", execution_id)
    return {**_UNRETAINED, **execution, "documents": [], "documents_retained": False}
