"""The versions of labels and guidelines that were in force at each decision, for the history."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import QuerySet

from reviewapp.annotations.fields import PERSONAL_FIELDS
from reviewapp.annotations.models import Decision
from reviewapp.annotations.value_authorship import machine_words
from reviewapp.asked import asked
from reviewapp.audit.registry import GuidanceVersions
from reviewapp.bounded_cache import MIB, BoundedCache

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
        keys = ",".join(str(key) for key in sorted(unknown))
        for key, retriever, labels, guidelines, own_words, *values, proposed in _read(keys=keys):
            made_with = GuidanceVersions(
                retriever=retriever,
                labels=labels,
                guidelines=guidelines,
                machine_words=tuple(machine_words(own_words, values, proposed)),
            )
            _cache.set(key, made_with)
            guidance[key] = made_with

    with_content = {}
    for key, made_with in guidance.items():
        has_guidance = made_with.labels is not None or made_with.guidelines is not None
        if has_guidance or made_with.machine_words:
            with_content[key] = made_with
    return with_content


@asked
def _read(keys: str) -> QuerySet[Decision, tuple[Any, ...]]:
    columns = (
        "pk",
        "annotation__retriever_id",
        "label_set__version",
        "guidelines__version",
        "own_words",
        *PERSONAL_FIELDS,
        "annotation__proposed",
    )
    return Decision.objects.keyed(keys).order_by("pk").values_list(*columns)
