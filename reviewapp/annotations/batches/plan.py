"""What deciding an item in a batch would do at this moment. Pure.

The preview shows it, and the job asks again under the lock of the annotation.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from reviewapp.annotations.item_jobs import CHANGED_SINCE
from reviewapp.annotations.models import Annotation
from reviewapp.json_values import is_same_json


class BatchEffect(TextChoices):
    """What a batch does with an item; all but the first two leave it as it is."""

    RELABEL = "relabel", _("Gets another label")
    CONFIRM = "confirm", _("Keeps its label, which is confirmed")

    REFUSED = "refused", _("Refused by the labels of its retriever")
    NO_LABEL = "no_label", _("Skipped: it has no label to confirm")
    OPEN = "open", _("Skipped: somebody has it open")
    DECIDED_SINCE = "decided_since", _("Skipped: somebody has decided it since")
    CHANGED_SINCE = CHANGED_SINCE, _("Skipped: it has changed since it was shown")
    GONE = "gone", _("Skipped: Mixpeek no longer has the annotation")


DECIDING = frozenset({BatchEffect.RELABEL, BatchEffect.CONFIRM})


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """What happens to an item; `label` is the one that it gets, `problem` why it gets none."""

    effect: BatchEffect
    label: str = ""
    problem: str = ""

    @property
    def is_skipped(self) -> bool:
        """Whether the item is left as it is."""
        return self.effect not in DECIDING


def plan_decision(annotation: Annotation, label: str, *, holder: str) -> BatchPlan:
    """Return what giving an item a label does; "" stands for its own.

    `holder` is who else has it open, "" for nobody.
    """
    label = label or annotation.label
    if annotation.status == Annotation.Status.GONE:
        return BatchPlan(effect=BatchEffect.GONE)
    if holder:
        return BatchPlan(
            effect=BatchEffect.OPEN, problem=_("%(name)s has it open.") % {"name": holder}
        )
    if not label:
        return BatchPlan(effect=BatchEffect.NO_LABEL)
    if is_same_json(label, annotation.label):
        return BatchPlan(effect=BatchEffect.CONFIRM, label=label)
    return BatchPlan(effect=BatchEffect.RELABEL, label=label)
