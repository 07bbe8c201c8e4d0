"""What decisions were made with: the versions of labels and guidelines that were in force, for the history."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db.models import QuerySet

from reviewapp.annotations.models import Decision
from reviewapp.asked import asked
from reviewapp.audit.neighbours import MadeWith

# A decision is never changed, so what is known of one stays true.
_known: dict[int, MadeWith | None] = {}
_MOST = 20_000


def versions(decisions: Collection[int]) -> Mapping[int, MadeWith]:
    """Return what these decisions were made with, by their keys. One query for those not asked for before, if any."""
    wanted = set(decisions)
    if len(_known) > _MOST:
        _known.clear()
    if unknown := wanted - _known.keys():
        found = {key: _made_with(*rest) for key, *rest in _read(keys=",".join(map(str, sorted(unknown))))}
        _known.update(found)
    return {key: made for key in wanted if (made := _known.get(key)) is not None}


def _made_with(retriever: int | None, labels: int | None, guidelines: int | None) -> MadeWith | None:
    if labels is None and guidelines is None:
        return None
    return MadeWith(retriever=retriever, labels=labels, guidelines=guidelines)


@asked
def _read(keys: str) -> QuerySet[Decision, tuple[int, int | None, int | None, int | None]]:
    read = ("pk", "annotation__retriever_id", "label_set__version", "guidelines__version")
    return Decision.objects.keyed(keys).order_by("pk").values_list(*read)
