"""The stages of a pipeline: candidates in, candidates out; pure but for `search`.

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
    return (candidate for candidate in candidates if condition(candidate.document()))


def feature_search(
    parameters: Json,
    candidates: Iterable[Candidate],
    search: Search,
) -> Iterable[Candidate]:
    """Keep the candidates whose text matches `query`, best first, with a score from 0 to 1.

    An empty query (an optional input left out) keeps everything as it is.
    """
    query = parameters.get("query")
    if isinstance(query, dict):
        query = query.get("text")
    if query is not None and not isinstance(query, str):
        raise StageError(f"feature_search needs a text 'query', not {query!r}")

    fields = parameters.get("fields")
    if fields is not None and not _is_list_of_texts(fields):
        raise StageError("feature_search takes 'fields' as a list of field names")
    if not query or not query.strip():
        return candidates

    relevance = search(query, fields or None)
    matches = []
    for candidate in candidates:
        raw = relevance.get(candidate.number)
        if raw is not None:
            matches.append(replace(candidate, score=round(raw / (1 + raw), 6)))
    matches.sort(key=lambda match: (-relevance[match.number], match.document_id))
    return matches


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def sort(parameters: Json, candidates: Iterable[Candidate], _search: Search) -> Iterable[Candidate]:
    """Order by a field, `asc` (default) or `desc`; documents without the field always come last."""
    path = parameters.get("field")
    if not isinstance(path, str) or not path:
        raise StageError("sort needs a 'field'")
    direction = str(parameters.get("direction") or "asc").lower()
    if direction not in {"asc", "desc"}:
        raise StageError(f"sort goes 'asc' or 'desc', not {direction!r}")

    keyed: list[tuple[tuple[int, Any], Candidate]] = []
    without_field: list[Candidate] = []
    for candidate in candidates:
        key = _sort_key(candidate, path)
        if key is None:
            without_field.append(candidate)
        else:
            keyed.append((key, candidate))
    keyed.sort(key=lambda pair: pair[0], reverse=direction == "desc")
    return [*(candidate for _key, candidate in keyed), *without_field]


def _sort_key(candidate: Candidate, path: str) -> tuple[int, Any] | None:
    if path in {"score", "_score"} and candidate.score is not None:
        return 0, candidate.score
    value = read_field(candidate.document(), path)
    if isinstance(value, bool):
        return 0, int(value)
    rank = rank_of(value)
    if rank is None:
        return None
    return rank, value


def limit(
    parameters: Json,
    candidates: Iterable[Candidate],
    _search: Search,
) -> Iterable[Candidate]:
    """Keep the first `limit` candidates; no limit when its input was left out."""
    count = parameters.get("limit")
    if count is None:
        return candidates
    is_number = isinstance(count, int | float) and not isinstance(count, bool)
    if not is_number or count < 0 or count != int(count):
        raise StageError(f"limit needs a whole number of at least 0, not {count!r}")
    return _first(int(count), candidates)


def _first(count: int, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    for number, candidate in enumerate(candidates):
        if number >= count:
            return
        yield candidate


STAGES: dict[str, Callable[[Json, Iterable[Candidate], Search], Iterable[Candidate]]] = {
    "attribute_filter": attribute_filter,
    "feature_search": feature_search,
    "sort": sort,
    "limit": limit,
}
