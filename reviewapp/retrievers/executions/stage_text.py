"""A pipeline's stages and inputs in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from reviewapp.retrievers.documents.layout import leaves, shown

_MOST_PARAMETERS = 40


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step: its name, what kind of step it is, and its parameters as (path, value)."""

    name: str
    kind: str
    does: str
    description: str
    parameters: list[tuple[str, str]]


def readable(stages: Iterable[Any]) -> list[Stage]:
    """Return upstream's stages, in either dialect, as people read them."""
    return [_stage(stage) for stage in stages if isinstance(stage, dict)]


@dataclass(frozen=True, kw_only=True)
class Input:
    """One thing a run can be given: its type, whether it must be, what it is for."""

    name: str
    type: str
    required: bool
    description: str


def inputs(schema: Mapping[str, Any]) -> list[Input]:
    """Return what a retriever's input_schema declares, what must be given first."""
    declared = [(name, entry) for name, entry in schema.items() if isinstance(entry, dict)]
    found = [
        Input(
            name=name,
            type=shown(entry.get("type")) or "string",
            required=entry.get("required") is True,
            description=shown(entry.get("description")),
        )
        for name, entry in declared
    ]
    return sorted(found, key=lambda one: not one.required)


def _stage(stage: Mapping[str, Any]) -> Stage:
    config = stage.get("config")
    config = config if isinstance(config, dict) else {}
    parameters = config.get("parameters") or stage.get("parameters") or {}
    does = shown(config.get("stage_id") or config.get("stage_name"))
    return Stage(
        name=shown(stage.get("stage_name") or stage.get("name")) or does,
        kind=shown(stage.get("stage_type")),
        does=does,
        description=shown(stage.get("description")),
        parameters=[(path, shown(value)) for path, value in islice(leaves(parameters), _MOST_PARAMETERS) if path],
    )
