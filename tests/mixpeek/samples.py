"""Objects as servers of both dialects send them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from reviewapp.mixpeek.response import Reply

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

BARE_ANNOTATION = {"document_id": "doc_1", "namespace_id": "ns_1", "label": "approved"}

ANNOTATION = BARE_ANNOTATION | {
    "annotation_id": "ann_1",
    "confidence": 1,
    "reasoning": "clear logo",
    "payload": {"codes_approved": ["E11.40"]},
    "metadata": {"reviewer": "ada"},
    "collection_id": "col_1",
    "retriever_id": "ret_1",
    "execution_id": "exec_1",
    "stage_name": "llm_enrich",
    "actor_id": "key_9",
    "actor_type": "api_key",
    "created_at": "2026-11-01T10:00:00Z",
    "updated_at": "2026-11-02T10:00:00+02:00",
    "version": 2,
    "revisions": [
        {
            "version": 1,
            "prior": {"label": "rejected"},
            "edited_at": "2026-11-02T08:00:00Z",
            "edited_by": "key_9",
            "edited_by_type": "api_key",
        }
    ],
    "a_field_of_tomorrow": 1,
}

STAGE = {
    "stage_name": "find",
    "config": {"stage_id": "feature_search", "parameters": {}},
    "parameters": {},
}

RETRIEVER = {
    "retriever_id": "ret_1",
    "retriever_name": "brand_logos",
    "description": "Logos",
    "tags": ["brand", "v2"],
    "stages": [STAGE],
    "input_schema": {"query": {"type": "string", "required": True}},
    "collection_ids": ["col_1"],
    "collection_identifiers": ["col_1"],
    "budget_limits": {"max_credits": 100},
    "version": 4,
    "created_at": "2026-10-01T00:00:00Z",
    "created_by": "ada",
    "fusion": None,
}

SEED_RETRIEVER = {
    "pipeline_id": "pipe_1",
    "name": "executive_ads",
    "stages": [
        {"name": "filter", "stage_type": "filter", "config": {"stage_name": "attribute_filter"}}
    ],
    "collection_ids": ["col_2"],
    "input_schema": {},
}


def reply(body: Any, *, status: int = 200, **headers: str) -> Reply:
    """Make a reply; header names are given with underscores."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers=named, body=data, received_at=NOW, namespace="ns_1")
