"""Estimate how long Mixpeek's lists are, from the mirror: the input of a bulk plan."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count

from reviewapp.annotations.models import Annotation
from reviewapp.bounded_cache import MIB, BoundedCache
from reviewapp.sync.deliver.bulk_plan import Size

_CACHE_SECONDS = 120.0


class Sizes:
    """Cached counts of a retriever's annotations by label, as far as the mirror knows.

    A plan needs only the order of magnitude, and counting a large mirror costs more than delivering
    a change.
    """

    def __init__(self) -> None:
        self._cache: BoundedCache[dict[str, int]] = BoundedCache(most_bytes=16 * MIB)

    def of(self, retriever_ids: Collection[str]) -> Size:
        """Return the size function for these retrievers; one query for those not cached."""
        counts: dict[str, dict[str, int]] = {}
        for retriever_id in retriever_ids:
            labels = self._cache.get(retriever_id)
            if labels is not None:
                counts[retriever_id] = labels

        uncached = set(retriever_ids) - counts.keys()
        if uncached:
            for retriever_id in uncached:
                counts[retriever_id] = {}
            # A row without a label is not annotated, and is not in Mixpeek's lists.
            annotated = Annotation.objects.filter(
                retriever__retriever_id__in=uncached,
                label__gt="",
            )
            grouped = annotated.order_by().values_list("retriever__retriever_id", "label")
            for retriever_id, label, number in grouped.annotate(number=Count("*")):
                counts[retriever_id][label] = number

            for retriever_id in uncached:
                self._cache.set(retriever_id, counts[retriever_id], seconds=_CACHE_SECONDS)

        def size(retriever_id: str, label: str | None) -> int:
            labels = counts[retriever_id]
            if label is None:
                return sum(labels.values())
            return labels.get(label, 0)

        return size

    def clear(self) -> None:
        """Clear the cache."""
        self._cache.clear()


sizes = Sizes()
