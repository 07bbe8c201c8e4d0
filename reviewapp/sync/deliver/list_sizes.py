"""How many annotations a list of Mixpeek would hold, as far as our mirror knows: what a plan rests on."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count

from reviewapp.annotations.models import Annotation
from reviewapp.bounded_cache import MIB, BoundedCache
from reviewapp.sync.deliver.bulk_plan import Size

_COUNTED_FOR = 120.0


class Sizes:
    """How many annotations there are of each label of a retriever, as far as the mirror knows; counted now and then.

    A plan needs no more than the order of magnitude, and counting a large mirror costs more than delivering a change.
    """

    def __init__(self) -> None:
        self._counted: BoundedCache[dict[str, int]] = BoundedCache(most_bytes=16 * MIB)

    def of(self, retriever_ids: Collection[str]) -> Size:
        """Return what knows the sizes of these retrievers; one query for those not counted lately."""
        known = {id_: counted for id_ in retriever_ids if (counted := self._counted.get(id_)) is not None}
        stale = set(retriever_ids) - known.keys()
        if stale:
            known |= self._count(stale)

        def size(retriever_id: str, label: str | None) -> int:
            labels = known[retriever_id]
            return sum(labels.values()) if label is None else labels.get(label, 0)

        return size

    def forget(self) -> None:
        """Count anew when asked next."""
        self._counted.clear()

    def _count(self, retriever_ids: Collection[str]) -> dict[str, dict[str, int]]:
        # What nobody annotated has no label and is not in Mixpeek's lists.
        there = Annotation.objects.filter(retriever__retriever_id__in=retriever_ids, label__gt="").order_by()
        rows = there.values_list("retriever__retriever_id", "label").annotate(number=Count("*"))

        counted: dict[str, dict[str, int]] = {id_: {} for id_ in retriever_ids}
        for id_, label, number in rows:
            counted[id_][label] = number

        for id_, labels in counted.items():
            self._counted.set(id_, labels, seconds=_COUNTED_FOR)
        return counted


sizes = Sizes()
