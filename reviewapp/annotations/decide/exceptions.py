"""Why a decision was not recorded; each error says what to do next.

AnnotationGone                  go on to the next item
DecisionIdTaken                 render the form again, which makes a new id
├── IdTakenByOtherItem
│   └── IdTakenByOtherPerson
└── TakenBack
FieldsRefused                   correct the fields that it names
├── LabelNotOffered
└── RequiredFieldsMissing
StaleSubmission                 choose between mine and theirs
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from reviewapp.annotations.models import Annotation
from reviewapp.outbox.merge import Merge


class AnnotationGone(Exception):
    """The annotation no longer exists upstream: there is nothing to decide; go on to the next."""


class DecisionIdTaken(Exception):
    """This decision id is in use: render the form again, which makes a new id."""


class IdTakenByOtherItem(DecisionIdTaken):
    """The decision with this id is about another item: the form is damaged."""


class IdTakenByOtherPerson(IdTakenByOtherItem):
    """Another person's row has this id, which the answer must not reveal: decide with a new id."""


class TakenBack(DecisionIdTaken):
    """The decision with this id was taken back; a late copy of its form does not restore it."""


class FieldsRefused(Exception):
    """Some fields of a submission are not accepted.

    `errors` maps each field to a sentence; `kind` is the machine-readable error type.
    """

    kind = "value_error"

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


class LabelNotOffered(FieldsRefused):
    """The retriever's label set allows only its own labels (`offered`); `label` is not one."""

    kind = "enum"

    def __init__(self, label: str, offered: list[str]) -> None:
        labels = ", ".join(offered)
        sentence = _(
            "“%(label)s” is not one of this retriever's labels. Choose one of: %(labels)s."
        ) % {"label": label, "labels": labels}
        super().__init__({"label": sentence})
        self.label = label
        self.offered = offered


class RequiredFieldsMissing(FieldsRefused):
    """The retriever requires a reasoning or a confidence that the person did not give."""

    kind = "missing"


class StaleSubmission(Exception):
    """Somebody settled the item differently since the form was rendered: show base, mine, theirs.

    `conflicts` names the fields that both sides set (`outcome` when only the outcome differs).
    `merged` is mine with everything that only they touched. `only_mine` and `only_theirs` are the
    fields that one side alone changed. `changed_since.py` tells who settled it.
    """

    def __init__(
        self,
        annotation: Annotation,
        *,
        base: dict[str, Any],
        mine: dict[str, Any],
        theirs: dict[str, Any],
        merge: Merge,
        conflicts: list[str],
    ) -> None:
        super().__init__(f"{annotation.ref} was changed meanwhile: {', '.join(conflicts)}")
        self.annotation = annotation
        self.base = base
        self.mine = mine
        self.theirs = theirs
        self.merged = merge.values
        self.conflicts = conflicts
        self.only_mine = [name for name in merge.mine_only if name not in conflicts]
        self.only_theirs = [name for name in merge.theirs_only if name not in conflicts]
