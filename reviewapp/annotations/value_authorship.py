"""Decide whether a person or the machine gave an annotation's current value. Pure.

A form starts with the values that a person gave; the machine's are shown beside the evidence. The
first row that applies decides, for each field separately:

| what is known of the current value | a person gave it |
|---|---|
| it is blank | no: there is nothing to give |
| a change of ours that waits or was delivered set it to this | yes |
| the revision that set it carries our stamp | yes |
| the revision that set it was made by a user or with an API key | yes |
| the revision that set it was made by the system | no |
| no revision set it, and the annotation was created by a user or carries our stamp | yes |
| no revision set it, and the annotation was created with an API key or by the system | no |

One API key may be used by many people and machines, so what it created counts as a proposal, and
what it changed later as a person's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reviewapp.annotations.fields import BLANK_VALUES, PERSONAL_FIELDS
from reviewapp.annotations.models import Annotation
from reviewapp.json_values import is_same_json
from reviewapp.outbox.models import Change

_MACHINE = "system"
# What the form of version 0.1 took from the machine.
_FORMERLY_PREFILLED = ("confidence", "reasoning")
_EFFECTIVE_STATES = {Change.State.QUEUED, Change.State.DELIVERED}


def given_by_people(annotation: Annotation, changes: Iterable[Change]) -> frozenset[str]:
    """Return the personal fields that a person gave; `changes` are all of this annotation's."""
    effective = [change for change in changes if change.state in _EFFECTIVE_STATES]
    return frozenset(name for name in PERSONAL_FIELDS if _is_given(annotation, name, effective))


def is_nobodys_edit(annotation: Annotation, name: str, before: Any) -> bool:
    """Return whether no person can have changed a field from `before` to its current value.

    Both must be blank or provably the machine's: a value of unknown origin may be a person's.
    """
    if not _is_blank(name, before) and not is_same_json(before, annotation.proposed.get(name)):
        return False

    value = getattr(annotation, name)
    if _is_blank(name, value):
        return True
    if name in given_by_people(annotation, annotation.changes):
        return False
    revision = _revision_that_set(name, annotation.revisions)
    if revision is not None:
        return bool(revision["edited_by_type"] == _MACHINE)
    return is_same_json(value, annotation.proposed.get(name))


def given_before_decision(
    base: Mapping[str, Any],
    proposed: Mapping[str, Any],
) -> frozenset[str]:
    """Return the personal fields that a person had given before a decision with this base.

    A form's base names them. A script's does not, nor that of a form of version 0.1: there, a value
    that the machine proposed counts as the machine's, and any other as a person's.
    """
    if "given" in base:
        return frozenset(base["given"])

    given = set()
    for name in PERSONAL_FIELDS:
        if not is_same_json(base.get(name), proposed.get(name)):
            given.add(name)
    return frozenset(given)


def machine_values(annotation: Annotation, given: Iterable[str]) -> dict[str, Any]:
    """Return the machine's label, confidence and reasoning, {} if it proposed nothing.

    A current value that no person gave is newer than the first proposal.
    """
    proposed = annotation.proposed
    if not proposed.get("label"):
        return {}

    values = {}
    for name in ("label", *PERSONAL_FIELDS):
        values[name] = proposed.get(name, BLANK_VALUES[name])

    for name in PERSONAL_FIELDS:
        current = getattr(annotation, name)
        if name not in given and not _is_blank(name, current):
            values[name] = current
    return values


def machine_words(
    own_words: bool,
    values: Mapping[str, Any],
    proposed: Mapping[str, Any],
) -> list[str]:
    """Return the personal fields in which a decision repeats the machine.

    `values` are the decision's, by field. Only decisions of version 0.1 repeat the machine
    (`own_words` is false): their form started with its words for these two.
    """
    if own_words:
        return []

    repeated = []
    for name in _FORMERLY_PREFILLED:
        value = values[name]
        if not _is_blank(name, value) and is_same_json(value, proposed.get(name)):
            repeated.append(name)
    return repeated


def _is_given(annotation: Annotation, name: str, changes: Iterable[Change]) -> bool:
    value = getattr(annotation, name)
    if _is_blank(name, value):
        return False

    for change in changes:
        if name in change.fields and is_same_json(change.fields[name], value):
            return True

    revision = _revision_that_set(name, annotation.revisions)
    if revision is not None:
        return bool(revision.get("decision_id")) or revision["edited_by_type"] != _MACHINE

    # There is no proposal if a user created the annotation, or with our stamp on it.
    return not annotation.proposed


def _revision_that_set(
    name: str,
    revisions: Iterable[Mapping[str, Any]],
) -> Mapping[str, Any] | None:
    """Return the newest revision that changed a field; `revisions` are oldest first."""
    newest = None
    for revision in revisions:
        if name in revision["prior"]:
            newest = revision
    return newest


def _is_blank(name: str, value: Any) -> bool:
    return is_same_json(value, BLANK_VALUES[name])
