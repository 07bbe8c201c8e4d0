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


@dataclass(frozen=True, kw_only=True)
class DeliveryState:
    """Where the delivery of a decision stands: what its chip says, its icon and its CSS class."""

    text: str
    icon: str
    tone: str


# The most things that a search of the history names by their title or text.
MAX_MATCHING_REFS = 200

_ref_searches: list[Callable[[str, int], Iterable[str]]] = []
_title_finders: list[Callable[[Collection[str]], Mapping[str, str]]] = []
_guidance_finders: list[Callable[[Collection[int]], Mapping[int, GuidanceVersions]]] = []
_delivery_finders: list[Callable[[Collection[int]], Mapping[int, DeliveryState]]] = []
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
        candidate_ref = Ref.parse_or_none(candidate)
        if candidate_ref is None:
            continue
        for find in _alias_finders:
            refs.extend(find(candidate_ref))
    return list(dict.fromkeys(refs))


def register_ref_search(find: Callable[[str, int], Iterable[str]]) -> None:
    """Register `find`, which returns refs of at most so many things that match a web search."""
    if find not in _ref_searches:
        _ref_searches.append(find)


def find_matching_refs(words: str) -> list[str]:
    """Return the refs of things whose title, text or ids match, of `MAX_MATCHING_REFS` at most."""
    refs: dict[str, None] = {}
    for find in _ref_searches:
        refs |= dict.fromkeys(find(words, MAX_MATCHING_REFS))
    return list(refs)


def register_title_finder(find: Callable[[Collection[str]], Mapping[str, str]]) -> None:
    """Register `find`, which returns titles by ref, where there are any."""
    if find not in _title_finders:
        _title_finders.append(find)


def find_titles(refs: Collection[str]) -> dict[str, str]:
    """Return what the things of these refs are called, by ref, where they have a title."""
    titles: dict[str, str] = {}
    if refs:
        for find in _title_finders:
            titles.update(find(refs))
    return titles


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


def register_delivery_finder(
    find: Callable[[Collection[int]], Mapping[int, DeliveryState]],
) -> None:
    """Register `find`, which returns delivery states by decision id, where there are any."""
    if find not in _delivery_finders:
        _delivery_finders.append(find)


def find_delivery_states(decisions: Collection[int]) -> dict[int, DeliveryState]:
    """Return where the delivery of these decisions stands by decision id, where there is one."""
    states: dict[int, DeliveryState] = {}
    if decisions:
        for find in _delivery_finders:
            states.update(find(decisions))
    return states
