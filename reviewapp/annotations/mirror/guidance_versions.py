"""What decisions were made with: the versions of labels and guidelines that were in force, for the history."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import QuerySet

from reviewapp.annotations.models import Decision
from reviewapp.annotations.value_authorship import PERSONAL_FIELDS, machine_words
from reviewapp.asked import asked
from reviewapp.audit.registry import MadeWith
from reviewapp.bounded_cache import MIB, BoundedCache

# A decision is never changed, so what is known of one stays true.
_known: BoundedCache[MadeWith] = BoundedCache(most_bytes=4 * MIB)


def versions(decisions: Collection[int]) -> Mapping[int, MadeWith]:
    """Return what these decisions were made with, by their keys. One query for those not asked for before, if any."""
    wanted = set(decisions)
    found = {key: made for key in wanted if (made := _known.get(key)) is not None}
    if unknown := wanted - found.keys():
        rows = _read(keys=",".join(map(str, sorted(unknown))))
        read = {
            key: MadeWith(
                retriever=retriever,
                labels=labels,
                guidelines=guidelines,
                machine_words=tuple(machine_words(own_words, values, proposed)),
            )
            for key, retriever, labels, guidelines, own_words, *values, proposed in rows
        }
        for key, made in read.items():
            _known.set(key, made)
        found |= read
    return {
        key: made for key, made in found.items() if (made.labels, made.guidelines) != (None, None) or made.machine_words
    }


@asked
def _read(keys: str) -> QuerySet[Decision, tuple[Any, ...]]:
    read = (
        *("pk", "annotation__retriever_id", "label_set__version", "guidelines__version"),
        *("own_words", *PERSONAL_FIELDS, "annotation__proposed"),
    )
    return Decision.objects.keyed(keys).order_by("pk").values_list(*read)
