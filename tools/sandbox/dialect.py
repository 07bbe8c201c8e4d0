"""What the two dialects say differently; the rows kept are always in the current one. Pure.

`2025-10` is the API of the older reference pages: a retriever has `name` and `pipeline_id`,
annotations have neither versions nor metadata, undeclared keys are ignored, and a 422 is FastAPI's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.sandbox.errors import Problem, error_body, fastapi_body
from tools.sandbox.rules.validation import Field, Json, validate

CURRENT, OLD = "current", "2025-10"
DIALECTS = (CURRENT, OLD)
_NEWER = {"metadata", "version", "revisions"}
_OLD_RETRIEVER = ("budget_limits", "collection_ids", "input_schema")


class Dialect:
    """The spelling of one server."""

    def __init__(self, name: str) -> None:
        self.current = name == CURRENT

    def accept(self, body: Any, fields: Mapping[str, Field]) -> Json:
        """Return the declared keys of a request body; an absent body counts as `{}`. Raises `Invalid`."""
        spoken = fields if self.current else {key: each for key, each in fields.items() if key != "metadata"}
        return validate({} if body is None else body, spoken, strict=self.current)

    def annotation(self, kept: Json) -> Json:
        """Return an annotation as this server shows it."""
        return kept if self.current else {key: value for key, value in kept.items() if key not in _NEWER}

    def retriever(self, kept: Json) -> Json:
        """Return a retriever as this server shows it."""
        if self.current:
            return kept
        shown = {key: kept.get(key) for key in _OLD_RETRIEVER}
        shown |= {key: kept[key] for key in ("description", "tags") if kept.get(key)}
        return {
            **shown,
            "name": kept["retriever_name"],
            "pipeline_id": kept["retriever_id"],
            "stages": [_old_stage(stage) for stage in kept["stages"]],
        }

    def problem(self, problem: Problem) -> Json:
        """Return the body of a refusal."""
        return error_body(problem) if self.current else fastapi_body(problem)


def _old_stage(stage: Json) -> Json:
    config = stage["config"]
    shown = {
        "name": stage["stage_name"],
        "config": {
            "stage_name": config["stage_id"],
            "version": "v1",
            "parameters": config["parameters"],
        },
    }
    return {**shown, "stage_type": stage["stage_type"]} if stage.get("stage_type") else shown
