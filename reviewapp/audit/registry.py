"""What history asks of the layers above, which it does not know: each tells it when the app starts.

Events name a thing by our ref for ever; people and scripts may call it by the name that Mixpeek gave it later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MadeWith:
    """What a decision was made with: versions of what its retriever (by key) told reviewers, None where nothing.

    `machine_words` names the fields in which an old decision repeats the machine: its form had started with them.
    """

    retriever: int | None
    labels: int | None
    guidelines: int | None
    machine_words: tuple[str, ...] = ()


_made_with: list[Callable[[Collection[int]], Mapping[int, MadeWith]]] = []
_also_called: list[Callable[[str], Iterable[str]]] = []


def other_names(find: Callable[[str], Iterable[str]]) -> None:
    """Have `find` asked for the refs of the thing that a ref, ours or Mixpeek's, is a name of."""
    if find not in _also_called:
        _also_called.append(find)


def names(said: str) -> list[str]:
    """Return every ref of the thing that `said` names, first of all itself; an id alone is one of any kind."""
    refs = [said] if "/" in said else [said, f"annotations/{said}", f"retrievers/{said}"]
    found = (name for ref in refs if "/" in ref for find in _also_called for name in find(ref))
    return list(dict.fromkeys([*refs, *found]))


def what_decisions_were_made_with(find: Callable[[Collection[int]], Mapping[int, MadeWith]]) -> None:
    """Have `find` asked, by their keys, what decisions were made with; it leaves out those made with nothing."""
    if find not in _made_with:
        _made_with.append(find)


def made_with(decisions: Collection[int]) -> dict[int, MadeWith]:
    """Return what each of these decisions was made with, by their keys, where there was anything."""
    return {key: made for find in _made_with if decisions for key, made in find(decisions).items()}
