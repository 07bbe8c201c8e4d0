"""The two dialects of the API; stored rows are always in the current one. Pure.

`2025-10` is the API of the older reference pages: a retriever has `name` and `pipeline_id`,
annotations have neither versions nor metadata, undeclared keys are ignored, and a 422 is FastAPI's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.sandbox.errors import Problem, error_body, fastapi_body
from tools.sandbox.rules.validation import Field, Json, validate

CURRENT = "current"
OLD = "2025-10"
DIALECTS = (CURRENT, OLD)
_NEWER = {"metadata", "version", "revisions"}
_OLD_RETRIEVER = ("budget_limits", "collection_ids", "input_schema")


class Dialect:
    """The spelling of one server."""

    def __init__(self, name: str) -> None:
        self.current = name == CURRENT

    def accept(self, body: Any, fields: Mapping[str, Field]) -> Json:
        """Return the declared keys of a request body; no body counts as `{}`. Raises `Invalid`."""
        declared = dict(fields)
        if not self.current:
            declared.pop("metadata", None)
        return validate({} if body is None else body, declared, strict=self.current)

    def annotation(self, stored: Json) -> Json:
        """Return an annotation as this server shows it."""
        if self.current:
            return stored
        return {key: value for key, value in stored.items() if key not in _NEWER}

    def retriever(self, stored: Json) -> Json:
        """Return a retriever as this server shows it."""
        if self.current:
            return stored
        fields = {key: stored.get(key) for key in _OLD_RETRIEVER}
        fields |= {key: stored[key] for key in ("description", "tags") if stored.get(key)}
        return {
            **fields,
            "name": stored["retriever_name"],
            "pipeline_id": stored["retriever_id"],
            "stages": [_old_stage(stage) for stage in stored["stages"]],
        }

    def problem(self, problem: Problem) -> Json:
        """Return the body of a refusal."""
        if self.current:
            return error_body(problem)
        return fastapi_body(problem)


def _old_stage(stage: Json) -> Json:
    config = stage["config"]
    fields = {
        "name": stage["stage_name"],
        "config": {
            "stage_name": config["stage_id"],
            "version": "v1",
            "parameters": config["parameters"],
        },
    }
    if stage.get("stage_type"):
        fields["stage_type"] = stage["stage_type"]
    return fields
