"""Whether a person gave a value of an annotation, or the machine did. Pure.

A form starts with the values that a person gave; the machine's are shown beside the evidence. The first row that
applies decides, for each field by itself:

| what is known of the value that stands | a person gave it |
|---|---|
| it is blank | no: there is nothing to give |
| a change of ours that waits or was delivered set it to this | yes |
| the revision that set it carries our stamp | yes |
| the revision that set it was made by a user or with an API key | yes |
| the revision that set it was made by the system | no |
| no revision set it, and the annotation was created by a user or carries our stamp | yes |
| no revision set it, and the annotation was created with an API key or by the system | no |

One API key may stand for many people and for machines, so what it created counts as a proposal, and what it changed
afterwards as somebody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reviewapp.annotations.mirror.from_upstream import BLANK
from reviewapp.annotations.models import Annotation
from reviewapp.json_values import same
from reviewapp.outbox.models import Change

# A form leaves these empty unless a person gave their value; label and payload start with what stands.
PERSONAL_FIELDS = ("confidence", "reasoning")

_MACHINE = "system"
_STANDING = {Change.State.QUEUED, Change.State.DELIVERED}


def given_by_people(annotation: Annotation, changes: Iterable[Change]) -> frozenset[str]:
    """Return those of `PERSONAL_FIELDS` whose value a person gave; `changes` are all changes of this annotation."""
    standing = [change for change in changes if change.state in _STANDING]
    return frozenset(name for name in PERSONAL_FIELDS if _is_given(annotation, name, standing))


def is_nobodys_edit(annotation: Annotation, name: str, before: Any) -> bool:
    """Return whether no person can have turned a field from `before` into what stands now.

    Both are blank or the machine's, as far as that is proved: a value of unknown origin may be somebody's.
    """
    if not _is_blank(name, before) and not same(before, annotation.proposed.get(name)):
        return False

    value = getattr(annotation, name)
    if _is_blank(name, value):
        return True
    if name in given_by_people(annotation, annotation.changes):
        return False
    revision = _revision_that_set(name, annotation.revisions)
    if revision is not None:
        return bool(revision["edited_by_type"] == _MACHINE)
    return same(value, annotation.proposed.get(name))


def machine_values(annotation: Annotation, given: Iterable[str]) -> dict[str, Any]:
    """Return the machine's label, confidence and reasoning, {} where it proposed nothing.

    A value that stands and that no person gave is newer than the first proposal.
    """
    if not annotation.proposed.get("label"):
        return {}
    values = {name: annotation.proposed.get(name, BLANK[name]) for name in ("label", *PERSONAL_FIELDS)}
    for name in PERSONAL_FIELDS:
        standing = getattr(annotation, name)
        if name not in given and not _is_blank(name, standing):
            values[name] = standing
    return values


def machine_words(own_words: bool, values: Sequence[Any], proposed: Mapping[str, Any]) -> list[str]:
    """Return in which of `PERSONAL_FIELDS` a decision repeats the machine; `values` are those it holds, in that order.

    Only decisions of an older version do (`own_words` is false): their form had started with the machine's words.
    """
    if own_words:
        return []
    held = zip(PERSONAL_FIELDS, values, strict=True)
    return [name for name, value in held if not _is_blank(name, value) and same(value, proposed.get(name))]


def _is_given(annotation: Annotation, name: str, standing: Iterable[Change]) -> bool:
    value = getattr(annotation, name)
    if _is_blank(name, value):
        return False

    if any(name in change.fields and same(change.fields[name], value) for change in standing):
        return True

    revision = _revision_that_set(name, annotation.revisions)
    if revision is not None:
        return bool(revision.get("decision_id")) or revision["edited_by_type"] != _MACHINE

    # Nothing is proposed where a user created the annotation or our stamp was on it from the beginning.
    return not annotation.proposed


def _revision_that_set(name: str, revisions: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the newest revision that changed a field; `revisions` are oldest first."""
    newest = None
    for revision in revisions:
        if name in revision["prior"]:
            newest = revision
    return newest


def _is_blank(name: str, value: Any) -> bool:
    return same(value, BLANK[name])
