"""The stages a pipeline is made of: candidates in, candidates out; pure but for the search they are
handed.

A candidate carries its document as JSON text and opens it when a field is asked for, so a pipeline
over 100,000 documents holds text and not 100,000 dictionaries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tools.sandbox.rules.conditions import StageError, build_condition, rank_of, read_field
from tools.sandbox.rules.validation import Json

Search = Callable[[str, list[str] | None], Mapping[int, float]]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One document on its way through the pipeline; `score` is None until a search gave one."""

    number: int
    document_id: str
    raw: str
    score: float | None = None

    def document(self) -> Json:
        """Return the document, parsed anew each time."""
        opened: Json = json.loads(self.raw)
        return opened


def run_stage(
    stage_id: str,
    parameters: Json,
    candidates: Iterable[Candidate],
    search: Search,
) -> Iterator[Candidate]:
    """Run one stage; raises `StageError` at once when it is unknown or wrongly configured."""
    stage = STAGES.get(stage_id)
    if stage is None:
        raise StageError(f"Unknown stage {stage_id!r}; this sandbox runs {', '.join(STAGES)}")
    return iter(stage(parameters, candidates, search))


def attribute_filter(
    parameters: Json,
    candidates: Iterable[Candidate],
    _search: Search,
) -> Iterable[Candidate]:
    """Keep the candidates that meet the condition (or the AND/OR/NOT of several).

    A condition without a `value` (its input was not given) is no condition at all.
    """
    condition = build_condition(parameters)
    return (each for each in candidates if condition(each.document()))


def feature_search(
    parameters: Json,
    candidates: Iterable[Candidate],
    search: Search,
) -> Iterable[Candidate]:
    """Keep the candidates whose text matches `query`, best first, each with its score between 0 and
    1.

    An empty query (an optional input left out) keeps everything as it is.
    """
    query, fields = parameters.get("query"), parameters.get("fields")
    if isinstance(query, dict):
        query = query.get("text")
    if query is not None and not isinstance(query, str):
        raise StageError(f"feature_search needs a text 'query', not {query!r}")
    if fields is not None and not (
        isinstance(fields, list) and all(isinstance(each, str) for each in fields)
    ):
        raise StageError("feature_search takes 'fields' as a list of field names")
    if not query or not query.strip():
        return candidates
    relevance = search(query, fields or None)
    found = [
        replace(each, score=round(raw / (1 + raw), 6))
        for each in candidates
        if (raw := relevance.get(each.number)) is not None
    ]
    return sorted(found, key=lambda each: (-relevance[each.number], each.document_id))


def sort(parameters: Json, candidates: Iterable[Candidate], _search: Search) -> Iterable[Candidate]:
    """Order by a field, `asc` unless told `desc`; documents without the field come last either way."""
    path, direction = parameters.get("field"), str(parameters.get("direction") or "asc").lower()
    if not isinstance(path, str) or not path:
        raise StageError("sort needs a 'field'")
    if direction not in {"asc", "desc"}:
        raise StageError(f"sort goes 'asc' or 'desc', not {direction!r}")
    keyed = [(_sort_key(each, path), each) for each in candidates]
    known = [pair for pair in keyed if pair[0] is not None]
    known.sort(key=lambda pair: pair[0] or (0, 0), reverse=direction == "desc")
    return [each for _key, each in known] + [each for key, each in keyed if key is None]


def _sort_key(candidate: Candidate, path: str) -> tuple[int, Any] | None:
    if path in {"score", "_score"} and candidate.score is not None:
        return 0, candidate.score
    value = read_field(candidate.document(), path)
    if isinstance(value, bool):
        return 0, int(value)
    rank = rank_of(value)
    return None if rank is None else (rank, value)


def limit(
    parameters: Json,
    candidates: Iterable[Candidate],
    _search: Search,
) -> Iterable[Candidate]:
    """Keep the first `limit` candidates; no limit when its input was left out."""
    count = parameters.get("limit")
    if count is None:
        return candidates
    if (
        isinstance(count, bool)
        or not isinstance(count, int | float)
        or count < 0
        or count != int(count)
    ):
        raise StageError(f"limit needs a whole number of at least 0, not {count!r}")
    return _first(int(count), candidates)


def _first(count: int, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    for number, each in enumerate(candidates):
        if number >= count:
            return
        yield each


STAGES: dict[str, Callable[[Json, Iterable[Candidate], Search], Iterable[Candidate]]] = {
    "attribute_filter": attribute_filter,
    "feature_search": feature_search,
    "sort": sort,
    "limit": limit,
}
