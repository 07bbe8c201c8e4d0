"""Tell our own decisions from those of other installations, by the id in a stamp."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from reviewapp.annotations.models import Decision


def without_own(decision_ids: Iterable[str]) -> set[str]:
    """Return those of the ids that are no decisions of ours; no query for no ids."""
    ids = set(decision_ids)
    by_uuid = {}
    for decision_id in ids:
        try:
            by_uuid[UUID(decision_id)] = decision_id
        except ValueError:
            # No id of ours.
            continue
    if not by_uuid:
        return ids

    own = Decision.objects.filter(decision_id__in=by_uuid).values_list("decision_id", flat=True)
    return ids - {by_uuid[own_id] for own_id in own}
