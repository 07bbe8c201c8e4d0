"""One run of a retriever over the stored documents: its stages in order, with their counts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.sandbox.rules.conditions import StageError, build_condition
from tools.sandbox.rules.search import Index
from tools.sandbox.rules.stages import Candidate, Search, run_stage
from tools.sandbox.rules.templates import fill
from tools.sandbox.rules.validation import Json
from tools.sandbox.store import Store


@dataclass(kw_only=True)
class Outcome:
    """What came out: `completed`, `degraded` (a stage was skipped) or `failed` with its `error`."""

    status: str = "completed"
    ranking: list[Candidate] = field(default_factory=list)
    considered: int = 0
    stages: dict[str, Json] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    degraded: list[Json] = field(default_factory=list)
    error: str | None = None


def run(
    store: Store,
    namespace: str,
    retriever: Json,
    inputs: Mapping[str, Any],
    filters: Json | None,
) -> Outcome:
    """Run every stage in order.

    A stage that cannot run is skipped when it says `on_error: skip`; otherwise the run has failed.
    """
    collections = retriever["collection_identifiers"]
    outcome = Outcome(considered=_count(store, namespace, collections))
    candidates: Iterable[Candidate] = _source(store, namespace, collections)
    search = Index(store).relevance
    arriving = outcome.considered
    if filters:
        candidates = _filtered(filters, candidates)

    for stage in retriever["stages"]:
        started = time.perf_counter()
        try:
            passed = _run_one(stage, inputs, candidates, search)
        except StageError as error:
            if stage.get("on_error") != "skip":
                return _failed(outcome, stage, error)
            _skipped(outcome, stage, error)
            continue
        candidates = passed
        outcome.stages[stage["stage_name"]] = _statistics(arriving, len(passed), started)
        arriving = len(passed)
    outcome.ranking = list(candidates)
    return outcome


def _run_one(
    stage: Json, inputs: Mapping[str, Any], candidates: Iterable[Candidate], search: Search
) -> list[Candidate]:
    parameters = fill(stage["config"]["parameters"], inputs)
    return list(run_stage(stage["config"]["stage_id"], parameters, candidates, search))


def _filtered(filters: Json, candidates: Iterable[Candidate]) -> Iterable[Candidate]:
    condition = build_condition(filters)
    return (candidate for candidate in candidates if condition(candidate.document()))


def _statistics(arriving: int, passed: int, started: float) -> Json:
    efficiency = 0.0
    if arriving:
        efficiency = round(passed / arriving, 6)
    return {
        "input_count": arriving,
        "output_count": passed,
        "duration_ms": round((time.perf_counter() - started) * 1000, 3),
        "efficiency": efficiency,
    }


def _failed(outcome: Outcome, stage: Json, error: StageError) -> Outcome:
    outcome.status = "failed"
    outcome.error = f"Stage {stage['stage_name']!r} failed: {error}"
    return outcome


def _skipped(outcome: Outcome, stage: Json, error: StageError) -> None:
    name = stage["stage_name"]
    outcome.status = "degraded"
    outcome.warnings.append(f"Stage {name!r} was skipped: {error}")
    entry = {
        "resource": "stage",
        "id": name,
        "reason": str(error),
        "next_step": "Mend the stage",
        "stage": name,
    }
    outcome.degraded.append(entry)


def _scope(namespace: str, collections: list[str]) -> tuple[str, list[str]]:
    # A document that names no collection belongs to all of them; a collection may be given by id or
    # by name.
    if not collections:
        return "namespace_id = ?", [namespace]
    names = [*collections, *(f"col_{each}" for each in collections)]
    marks = ", ".join("?" * len(names))
    return f"namespace_id = ? AND (collection_id IS NULL OR collection_id IN ({marks}))", [
        namespace,
        *names,
    ]


def _count(store: Store, namespace: str, collections: list[str]) -> int:
    where, values = _scope(namespace, collections)
    counted: int = store.one(f"SELECT count(*) FROM documents WHERE {where}", *values)[0]  # noqa: S608 - fixed text and marks
    return counted


def _source(store: Store, namespace: str, collections: list[str]) -> Iterator[Candidate]:
    where, values = _scope(namespace, collections)
    sql = f"SELECT number, document_id, body FROM documents WHERE {where} ORDER BY number"  # noqa: S608 - as above
    for number, document_id, raw in store.db.execute(sql, values):
        yield Candidate(number=number, document_id=document_id, raw=raw)
