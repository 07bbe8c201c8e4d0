"""The stages a pipeline is made of: candidates in, candidates out; pure but for the search they are handed.

A candidate carries its document as JSON text and opens it when a field is asked for, so a pipeline over
100,000 documents holds text and not 100,000 dictionaries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reviewapp.sandbox.checks import Json

Search = Callable[[str, list[str] | None], Mapping[int, float]]
_ABSENT = object()


class StageError(Exception):
    """A stage cannot run: it is unknown, or its parameters make no sense."""


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


def read_field(document: Json, path: str) -> Any:
    """Return the value at a dotted `path`: from the root, else under `payload`, `metadata`, `_internal`.

    A list on the way is entered by number, or by collecting the key from each of its items. Returns the marker
    that `present` knows when nothing is there.
    """
    for start in (document, document.get("payload"), document.get("metadata"), document.get("_internal")):
        found = _descend(start, path)
        if found is not _ABSENT:
            return found
    return _ABSENT


def present(value: Any) -> bool:
    """Return whether `read_field` found something, be it null."""
    return value is not _ABSENT


def _descend(value: Any, path: str) -> Any:
    if isinstance(value, dict) and path in value:
        return value[path]
    key, _, rest = path.partition(".")
    if isinstance(value, dict) and rest and key in value:
        return _descend(value[key], rest)
    if isinstance(value, list):
        return _descend_list(value, key, rest, path)
    return _ABSENT


def _descend_list(items: list[Any], key: str, rest: str, path: str) -> Any:
    if key.isdigit():
        item = items[int(key)] if int(key) < len(items) else _ABSENT
        return _descend(item, rest) if rest and item is not _ABSENT else item
    found = [each for each in (_descend(item, path) for item in items) if each is not _ABSENT]
    return found or _ABSENT


def run_stage(stage_id: str, parameters: Json, candidates: Iterable[Candidate], search: Search) -> Iterator[Candidate]:
    """Run one stage; raises `StageError` at once when it is unknown or wrongly configured."""
    stage = STAGES.get(stage_id)
    if stage is None:
        raise StageError(f"Unknown stage {stage_id!r}; this sandbox runs {', '.join(STAGES)}")
    return iter(stage(parameters, candidates, search))


def attribute_filter(parameters: Json, candidates: Iterable[Candidate], _search: Search) -> Iterable[Candidate]:
    """Keep the candidates that meet the condition (or the AND/OR/NOT of several).

    A condition without a `value` (its input was not given) is no condition at all.
    """
    condition = build_condition(parameters)
    return (each for each in candidates if condition(each.document()))


def build_condition(parameters: Json) -> Callable[[Json], bool]:
    """Return the test a document must pass; raises `StageError` for an operator that is not one of ours."""
    for key, combine in (("AND", all), ("OR", any)):
        if key in parameters:
            parts = [build_condition(part) for part in _conditions(parameters[key])]
            return lambda document: combine(part(document) for part in parts)
    if "NOT" in parameters:
        nots = [build_condition(part) for part in _conditions(parameters["NOT"])]
        return lambda document: not any(part(document) for part in nots)
    return _simple_condition(parameters)


def _simple_condition(parameters: Json) -> Callable[[Json], bool]:
    path, operator = parameters.get("field"), str(parameters.get("operator", "eq")).lower()
    wanted = parameters.get("value")
    if not isinstance(path, str) or not path:
        raise StageError("attribute_filter needs a 'field'")
    if operator in {"exists", "is_null"}:
        return lambda document: _existence(operator, read_field(document, path), wanted)
    if operator not in _OPERATORS:
        known = ", ".join([*_OPERATORS, "exists", "is_null"])
        raise StageError(f"Unknown operator {operator!r}; known are {known}")
    if "value" not in parameters:
        return lambda _document: True
    compare = _OPERATORS[operator]
    return lambda document: compare(read_field(document, path), wanted)


def _existence(operator: str, found: Any, wanted: Any) -> bool:
    meets = present(found) if operator == "exists" else (not present(found) or found is None)
    return meets if wanted is not False else not meets


def _conditions(value: Any) -> list[Json]:
    conditions = _listed(value)
    if not all(isinstance(each, dict) for each in conditions):
        raise StageError("AND, OR and NOT take conditions, each an object")
    return conditions


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _equal(found: Any, wanted: Any) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if isinstance(found, list) and not isinstance(wanted, list):
        return wanted in found
    return bool(found == wanted)


def _among(found: Any, wanted: Any) -> bool:
    return any(_equal(found, each) for each in _listed(wanted))


def _contains(found: Any, wanted: Any) -> bool:
    if isinstance(found, str):
        return str(wanted).casefold() in found.casefold()
    return isinstance(found, list) and wanted in found


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(found: Any, wanted: Any) -> bool:
        return _rank(found) == _rank(wanted) is not None and compare(found, wanted)

    return ordered


def _rank(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return 0
    return 1 if isinstance(value, str) else None


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "ne": lambda found, wanted: not _equal(found, wanted),
    "in": _among,
    "nin": lambda found, wanted: not _among(found, wanted),
    "gt": _ordered(lambda found, wanted: found > wanted),
    "gte": _ordered(lambda found, wanted: found >= wanted),
    "lt": _ordered(lambda found, wanted: found < wanted),
    "lte": _ordered(lambda found, wanted: found <= wanted),
    "contains": _contains,
}


def feature_search(parameters: Json, candidates: Iterable[Candidate], search: Search) -> Iterable[Candidate]:
    """Keep the candidates whose text matches `query`, best first, each with its score between 0 and 1.

    An empty query (an optional input left out) keeps everything as it is.
    """
    query, fields = parameters.get("query"), parameters.get("fields")
    if isinstance(query, dict):
        query = query.get("text")
    if query is not None and not isinstance(query, str):
        raise StageError(f"feature_search needs a text 'query', not {query!r}")
    if fields is not None and not (isinstance(fields, list) and all(isinstance(each, str) for each in fields)):
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
    rank = _rank(value)
    return None if rank is None else (rank, value)


def limit(parameters: Json, candidates: Iterable[Candidate], _search: Search) -> Iterable[Candidate]:
    """Keep the first `limit` candidates; no limit when its input was left out."""
    count = parameters.get("limit")
    if count is None:
        return candidates
    if isinstance(count, bool) or not isinstance(count, int | float) or count < 0 or count != int(count):
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
