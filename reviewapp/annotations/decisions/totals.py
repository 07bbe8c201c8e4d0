"""How many decisions of each kind each person made, for a filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from reviewapp.annotations.models import Decision
from reviewapp.annotations.querysets import DecisionQuerySet

# More decisions are not counted: the page says so.
MAX_COUNTED = 100_000

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
    """The totals of each person, most decisions first, and their sums.

    `is_cut`: there are more decisions, of which only the newest are counted.
    """

    people: list[PersonTotal]
    sums: dict[str, int]
    is_cut: bool


def count_by_person(decisions: DecisionQuerySet, *, most: int = MAX_COUNTED) -> Totals:
    """Count the newest `most` of these decisions by person and outcome. One query, or two."""
    newest_first = decisions.order_by("-id").values("pk")
    counted = Decision.objects.filter(pk__in=newest_first[:most])
    by_person = counted.tallied("reviewer_id", "reviewer__username")
    rows = by_person.annotate(undone=Count("undo"))

    people = sorted(map(_total, rows), key=lambda person: (-person.total, person.username))
    sums = {}
    for name in _COUNTED:
        sums[name] = sum(getattr(person, name) for person in people)
    is_cut = sums["total"] == most and newest_first[most : most + 1].exists()
    return Totals(people=people, sums=sums, is_cut=is_cut)


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
