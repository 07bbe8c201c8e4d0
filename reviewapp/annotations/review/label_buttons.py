"""The label buttons of the review page: which labels a retriever has in use, in an order that fingers can learn."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Q

from reviewapp.annotations.models import Annotation
from reviewapp.asked import rows
from reviewapp.retrievers.guidance.labels import Label, from_json
from reviewapp.retrievers.models import Retriever

MOST = 20
_MOST_COUNTED, _SAMPLE = 200, 500

# Jumps from one label to the next along the index `annotation_labels`: it costs the labels, not the annotations.
_IN_USE = """
WITH RECURSIVE one AS (
    (SELECT label FROM annotations_annotation WHERE retriever_id = %(retriever)s AND label > '' ORDER BY label LIMIT 1)
    UNION ALL
    SELECT (
        SELECT a.label FROM annotations_annotation a
        WHERE a.retriever_id = %(retriever)s AND a.label > one.label ORDER BY a.label LIMIT 1
    )
    FROM one WHERE one.label IS NOT NULL
)
SELECT label FROM one WHERE label IS NOT NULL LIMIT %(most)s
"""

# Along the index `annotation_labels`; annotations without a retriever are few.
_IS_USED = """
(SELECT FROM annotations_annotation WHERE retriever_id = %(retriever)s AND label = %(label)s LIMIT 1)
UNION ALL
(SELECT FROM annotations_annotation WHERE %(retriever)s IS NULL AND retriever_id IS NULL AND label = %(label)s LIMIT 1)
LIMIT 1
"""

# Along the index `annotation_retriever`, from the newest down.
_USED = """
SELECT label, count(*) FROM (
    (SELECT label FROM annotations_annotation WHERE retriever_id = %(retriever)s AND status = 'decided'
     ORDER BY id DESC LIMIT %(sample)s)
    UNION ALL
    (SELECT label FROM annotations_annotation WHERE retriever_id = %(retriever)s AND status = 'waiting'
     ORDER BY id DESC LIMIT %(sample)s)
) newest GROUP BY label
"""


@dataclass(frozen=True, kw_only=True)
class LabelButton:
    """One label to choose, the key that chooses it ("" beyond the twentieth), and whether it is chosen.

    A label of the retriever's own set has a title, a description and a colour (a class of the style sheet) as well.
    """

    label: str
    key: str
    shift: bool
    chosen: bool
    title: str = ""
    description: str = ""
    colour: str = ""

    @property
    def shown(self) -> str:
        """What stands on the button."""
        return self.title or self.label


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a reviewer may choose from: labels that the set describes or that are in use, and whether others may be."""

    labels: list[Label]
    other_allowed: bool


def offer(retriever: Retriever | None) -> Offer:
    """Return what a retriever's label set offers, or the labels it has in use when there is no set."""
    chosen = retriever.label_set if retriever else None
    if chosen and chosen.labels:
        return Offer(labels=from_json(chosen.labels), other_allowed=chosen.other_allowed)
    in_use_now = in_use(retriever.pk if retriever else None)
    return Offer(labels=[Label(value=label) for label in in_use_now], other_allowed=True)


def is_new(annotation: Annotation, label: str) -> bool:
    """Return whether nobody has used `label` yet: it is in no set, on no annotation of the retriever, and was never
    proposed for this annotation or decided on it. Each question is answered by an index.
    """
    label_set = annotation.retriever.label_set if annotation.retriever else None
    if label == annotation.label or (label_set and label in label_set.values()):
        return False
    if rows(_IS_USED, {"retriever": annotation.retriever_id, "label": label}):
        return False
    before = Q(proposed__label=label) | Q(decisions__label=label) | Q(decisions__base__label=label)
    return not Annotation.objects.filter(before, pk=annotation.pk).exists()


def in_use(retriever_id: int | None, *, most: int = MOST) -> list[str]:
    """Return the labels of a retriever's annotations, the `most` used of them when there are more.

    The order is alphabetical once and then stays: a label that comes into use goes to the end. A key that meant one
    label a minute ago must not mean another now, as it would if the order followed the counts or the alphabet.
    What was shown last is kept in Django's cache.
    """
    if retriever_id is None:
        return []
    labels, key = _every(retriever_id), f"labels:{retriever_id}"
    before: list[str] = cache.get(key) or []
    if len(labels) > most:
        used = _used(retriever_id)
        # Of labels used as often, those with a button keep it.
        labels = sorted(labels, key=lambda label: (-used[label], label not in before))[:most]
    now = [label for label in before if label in labels] + sorted(set(labels) - set(before))
    if now != before:
        cache.set(key, now, timeout=None)
    return now


def _every(retriever_id: int) -> list[str]:
    return [label for (label,) in rows(_IN_USE, {"retriever": retriever_id, "most": _MOST_COUNTED})]


def _used(retriever_id: int) -> Counter[str]:
    """Count the labels of the newest annotations, of which half are decided ones where there are enough."""
    found = rows(_USED, {"retriever": retriever_id, "sample": _SAMPLE})
    return Counter(dict(found))


def buttons(offered: Offer, *also: str, chosen: str) -> list[LabelButton]:
    """Return the buttons for what is offered; where others are allowed, those of `also` that are missing follow."""
    every = {label.value: label for label in offered.labels}
    for label in also if offered.other_allowed else ():
        if label:
            every.setdefault(label, Label(value=label))
    return [
        LabelButton(
            label=one.value,
            key=str((at + 1) % 10) if at < MOST else "",
            shift=at >= 10,
            chosen=one.value == chosen,
            title=one.title,
            description=one.description,
            colour="" if one.colour == "none" else one.colour,
        )
        for at, one in enumerate(every.values())
    ]
