"""Callbacks that higher apps register in `AppConfig.ready()` so that audit need not import them.

Events keep our own ref of a thing; people and scripts may use the id that Mixpeek gave it later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from reviewapp.ref import Ref, RefKind


@dataclass(frozen=True, kw_only=True)
class GuidanceVersions:
    """The versions of the labels and guidelines that a decision was made with, None for none.

    `retriever` is the retriever's key. `machine_words` names the fields in which an old decision
    repeats the machine's values, because its form had started with them.
    """

    retriever: int | None
    labels: int | None
    guidelines: int | None
    machine_words: tuple[str, ...] = ()


_guidance_finders: list[Callable[[Collection[int]], Mapping[int, GuidanceVersions]]] = []
_alias_finders: list[Callable[[Ref], Iterable[str]]] = []


def register_ref_aliases(find: Callable[[Ref], Iterable[str]]) -> None:
    """Register `find`, which returns all refs of the thing that a ref, ours or Mixpeek's, names."""
    if find not in _alias_finders:
        _alias_finders.append(find)


def find_ref_aliases(ref: str) -> list[str]:
    """Return all refs of the thing that `ref` names, itself first; a bare id may be any kind."""
    refs = [ref]
    candidates = [ref]
    if "/" not in ref:
        candidates = [str(Ref(kind, ref)) for kind in (RefKind.ANNOTATION, RefKind.RETRIEVER)]
        refs.extend(candidates)

    for candidate in candidates:
        refs.extend(_find_aliases(candidate))
    return list(dict.fromkeys(refs))


def _find_aliases(text: str) -> list[str]:
    ref = Ref.parse_or_none(text)
    if ref is None:
        return []

    aliases: list[str] = []
    for find in _alias_finders:
        aliases.extend(find(ref))
    return aliases


def register_guidance_finder(
    find: Callable[[Collection[int]], Mapping[int, GuidanceVersions]],
) -> None:
    """Register `find`, which returns guidance versions by decision id, where there are any."""
    if find not in _guidance_finders:
        _guidance_finders.append(find)


def find_guidance_versions(decisions: Collection[int]) -> dict[int, GuidanceVersions]:
    """Return the guidance versions of these decisions by decision id, where there are any."""
    versions: dict[int, GuidanceVersions] = {}
    if decisions:
        for find in _guidance_finders:
            versions.update(find(decisions))
    return versions
