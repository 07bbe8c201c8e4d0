"""The versions of labels and guidelines that were in force at each decision, for the history."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from reviewapp.annotations.value_authorship import machine_words
from reviewapp.audit.registry import GuidanceVersions
from reviewapp.bounded_cache import MIB, BoundedCache
from reviewapp.postgres.statement import sql_file


@dataclass(frozen=True)
class DecisionGuidance:
    """A decision's guidance, and its personal fields beside what the machine had proposed."""

    decision_key: int
    retriever_key: int | None
    labels_version: int | None
    guidelines_version: int | None
    own_words: bool
    proposed: dict[str, Any]
    confidence: float | None
    reasoning: str


_GUIDANCE = sql_file(__file__, "guidance_versions.sql", DecisionGuidance)

# A decision never changes, so neither does its entry.
_cache: BoundedCache[GuidanceVersions] = BoundedCache(most_bytes=4 * MIB)


def load_guidance_versions(decisions: Collection[int]) -> Mapping[int, GuidanceVersions]:
    """Return the guidance of these decisions by their keys; without it, a decision is left out.

    One query for all decisions that are not in the cache, if any.
    """
    guidance: dict[int, GuidanceVersions] = {}
    unknown: list[int] = []
    for key in set(decisions):
        cached = _cache.get(key)
        if cached is None:
            unknown.append(key)
        else:
            guidance[key] = cached

    if unknown:
        for row in _GUIDANCE.rows(keys=unknown):
            words = {"confidence": row.confidence, "reasoning": row.reasoning}
            made_with = GuidanceVersions(
                retriever=row.retriever_key,
                labels=row.labels_version,
                guidelines=row.guidelines_version,
                machine_words=tuple(machine_words(row.own_words, words, row.proposed)),
            )
            _cache.set(row.decision_key, made_with)
            guidance[row.decision_key] = made_with

    with_content = {}
    for key, made_with in guidance.items():
        has_guidance = made_with.labels is not None or made_with.guidelines is not None
        if has_guidance or made_with.machine_words:
            with_content[key] = made_with
    return with_content
