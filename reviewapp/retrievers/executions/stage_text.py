"""A pipeline's stages and inputs as text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from reviewapp.retrievers.documents.layout import format_scalar, text_leaves

_MAX_PARAMETERS = 40


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage: name, kind, operation (`does`), and parameters as (path, value)."""

    name: str
    kind: str
    does: str
    description: str
    parameters: list[tuple[str, str]]


def describe_stages(stages: Iterable[Any]) -> list[Stage]:
    """Return upstream's stages, in either dialect, as text."""
    described = []
    for stage in stages:
        if not isinstance(stage, dict):
            continue

        config = stage.get("config")
        if not isinstance(config, dict):
            config = {}
        parameters = []
        raw_parameters = config.get("parameters") or stage.get("parameters") or {}
        for path, text in islice(text_leaves(raw_parameters), _MAX_PARAMETERS):
            if path:
                parameters.append((path, text))

        does = format_scalar(config.get("stage_id") or config.get("stage_name"))
        described_stage = Stage(
            name=format_scalar(stage.get("stage_name") or stage.get("name")) or does,
            kind=format_scalar(stage.get("stage_type")),
            does=does,
            description=format_scalar(stage.get("description")),
            parameters=parameters,
        )
        described.append(described_stage)
    return described


@dataclass(frozen=True, kw_only=True)
class Input:
    """One declared input of a run."""

    name: str
    type: str
    required: bool
    description: str


def describe_inputs(schema: Mapping[str, Any]) -> list[Input]:
    """Return the inputs that a retriever's input_schema declares, required ones first."""
    declared = []
    for name, entry in schema.items():
        if isinstance(entry, dict):
            declared_input = Input(
                name=name,
                type=format_scalar(entry.get("type")) or "string",
                required=entry.get("required") is True,
                description=format_scalar(entry.get("description")),
            )
            declared.append(declared_input)
    return sorted(declared, key=lambda declared_input: not declared_input.required)
