"""How many annotations a list of Mixpeek would hold, as far as our mirror knows: what a plan rests on."""

from __future__ import annotations

from collections.abc import Collection
from math import inf
from time import monotonic

from django.db.models import Count

from reviewapp.annotations.models import Annotation
from reviewapp.sync.planning import Size

_COUNTED_FOR = 120.0


class Sizes:
    """How many annotations there are of each label of a retriever, as far as the mirror knows; counted now and then.

    A plan needs no more than the order of magnitude, and counting a large mirror costs more than delivering a change.
    """

    def __init__(self) -> None:
        self._counted: dict[str, tuple[float, dict[str, int]]] = {}

    def of(self, retriever_ids: Collection[str]) -> Size:
        """Return what knows the sizes of these retrievers; one query for those not counted lately."""
        now = monotonic()
        if stale := {id_ for id_ in retriever_ids if now - self._counted.get(id_, (-inf, {}))[0] > _COUNTED_FOR}:
            self._count(stale, now)
        return self._size

    def forget(self) -> None:
        """Count anew when asked next."""
        self._counted.clear()

    def _count(self, retriever_ids: Collection[str], now: float) -> None:
        # What nobody annotated has no label and is not in Mixpeek's lists.
        there = Annotation.objects.filter(retriever__retriever_id__in=retriever_ids, label__gt="").order_by()
        rows = there.values_list("retriever__retriever_id", "label").annotate(number=Count("*"))
        counted: dict[str, dict[str, int]] = {id_: {} for id_ in retriever_ids}
        for id_, label, number in rows:
            counted[id_][label] = number
        # Put in place whole: another thread may be planning.
        self._counted |= {id_: (now, labels) for id_, labels in counted.items()}

    def _size(self, retriever_id: str, label: str | None) -> int:
        _, labels = self._counted[retriever_id]
        return sum(labels.values()) if label is None else labels.get(label, 0)


sizes = Sizes()
