"""How many decisions of each kind each person made, for a filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from reviewapp.annotations.querysets import CountedDecisionQuerySet

_COUNTED = ("total", "relabelled", "corrected", "confirmed", "undecidable", "undone")


@dataclass(frozen=True, kw_only=True)
class PersonTotal:
    """How many decisions of one person match; undone ones are counted by their outcome as well."""

    person_id: int
    username: str
    total: int
    relabelled: int
    corrected: int
    confirmed: int
    undecidable: int
    undone: int


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The totals of each person, most decisions first, and their sums."""

    people: list[PersonTotal]
    sums: dict[str, int]


def count_by_person(decisions: CountedDecisionQuerySet) -> Totals:
    """Count these decisions by person and outcome. One query."""
    by_person = decisions.tallied("reviewer_id", "reviewer__username")
    rows = by_person.annotate(undone=Count("pk", filter=Q(is_undone=True)))

    people = sorted(map(_total, rows), key=lambda person: (-person.total, person.username))
    sums = {}
    for name in _COUNTED:
        sums[name] = sum(getattr(person, name) for person in people)
    return Totals(people=people, sums=sums)


def _total(row: dict[str, Any]) -> PersonTotal:
    return PersonTotal(
        person_id=row["reviewer_id"],
        username=row["reviewer__username"],
        total=row["total"],
        relabelled=row["relabelled"],
        corrected=row["corrected"],
        confirmed=row["confirmed"],
        undecidable=row["undecidable"],
        undone=row["undone"],
    )
