"""The label buttons of the review page: a retriever's labels, in an order that stays the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.core.cache import cache

from reviewapp.postgres.statement import sql_file
from reviewapp.retrievers.guidance.labels import Label, from_json
from reviewapp.retrievers.models import Retriever

# As many as have a key.
MAX_BUTTONS = 20


@dataclass(frozen=True)
class LabelCount:
    """How many annotations have a label."""

    label: str
    number: int


_LABELS_IN_USE = sql_file(__file__, "labels_in_use.sql", str)
_LABEL_COUNTS = sql_file(__file__, "label_counts.sql", LabelCount)


@dataclass(frozen=True, kw_only=True)
class LabelButton:
    """One label to choose, its key ("" beyond the twentieth), and whether it is `chosen`.

    A label of the retriever's own set also has a title, a description and a colour, which is a
    class of the style sheet.
    """

    label: str
    key: str
    shift: bool
    chosen: bool
    title: str = ""
    description: str = ""
    colour: str = ""

    @property
    def caption(self) -> str:
        """The caption of the button."""
        return self.title or self.label


@dataclass(frozen=True, kw_only=True)
class Offer:
    """The labels a reviewer may choose: those of the set or in use, and whether others as well."""

    labels: list[Label]
    other_allowed: bool


def offer(retriever: Retriever | None) -> Offer:
    """Return the labels of a retriever's label set, or those in use when there is no set."""
    label_set = retriever.label_set if retriever else None
    if label_set and label_set.labels:
        labels = from_json(label_set.labels)
        return Offer(labels=labels, other_allowed=label_set.other_allowed)

    retriever_id = retriever.pk if retriever else None
    labels = [Label(value=label) for label in in_use(retriever_id)]
    return Offer(labels=labels, other_allowed=True)


def in_use(retriever_id: int | None, *, limit: int = MAX_BUTTONS) -> list[str]:
    """Return the labels of a retriever's annotations, at most `limit`: the most used ones.

    The order is alphabetical at first and then stays; a label that comes into use goes to the end.
    A key must not change its label, as it would if the order followed the counts or the alphabet.
    The last order is kept in Django's cache.
    """
    if retriever_id is None:
        return []

    labels = _LABELS_IN_USE.rows(retriever=retriever_id)

    cache_key = f"labels:{retriever_id}"
    previous: list[str] = cache.get(cache_key) or []

    if len(labels) > limit:
        # The newest annotations: as many decided as waiting ones, if possible.
        counts = _LABEL_COUNTS.rows(retriever=retriever_id)
        count = Counter({counted.label: counted.number for counted in counts})
        # Of labels used equally often, those with a button keep it.
        labels.sort(key=lambda label: (-count[label], label not in previous))
        labels = labels[:limit]

    unchanged = [label for label in previous if label in labels]
    added = sorted(set(labels).difference(previous))
    ordered = unchanged + added
    if ordered != previous:
        cache.set(cache_key, ordered, timeout=None)
    return ordered


def buttons(offered: Offer, *extra: str, chosen: str) -> list[LabelButton]:
    """Return the buttons for the offered labels, then for `extra` if other labels are allowed."""
    labels = {label.value: label for label in offered.labels}
    if offered.other_allowed:
        for value in extra:
            if value:
                labels.setdefault(value, Label(value=value))

    label_buttons = []
    for index, label in enumerate(labels.values()):
        # 1 to 9 and 0, then the same with Shift.
        key = ""
        if index < MAX_BUTTONS:
            key = str((index + 1) % 10)

        colour = ""
        if label.colour != "none":
            colour = label.colour

        button = LabelButton(
            label=label.value,
            key=key,
            shift=index >= 10,
            chosen=label.value == chosen,
            title=label.title,
            description=label.description,
            colour=colour,
        )
        label_buttons.append(button)
    return label_buttons
