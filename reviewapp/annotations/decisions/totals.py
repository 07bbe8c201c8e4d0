"""How many decisions of each kind each person made, for a filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q
from django.db.models.fields.json import KT

from reviewapp.annotations.models import Decision
from reviewapp.annotations.querysets import DecisionQuerySet

# More decisions are not counted: the page says so.
MAX_COUNTED = 100_000

_DECIDED = Q(outcome=Decision.Outcome.DECIDED)
_IS_CONFIRMED = _DECIDED & Q(label=F("label_seen"))
_COUNTS = {
    "total": Count("pk"),
    "confirmed": Count("pk", filter=_IS_CONFIRMED),
    "undecidable": Count("pk", filter=~_DECIDED),
    "undone": Count("undo"),
}


@dataclass(frozen=True, kw_only=True)
class PersonTotal:
    """How many decisions of one person match; undone ones are counted by their outcome as well."""

    person_id: int
    username: str
    total: int
    relabelled: int
    confirmed: int
    undecidable: int
    undone: int


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The totals of each person, most decisions first, and their sums.

    `is_cut`: only the newest `MAX_COUNTED` decisions are counted.
    """

    people: list[PersonTotal]
    sums: dict[str, int]
    is_cut: bool


def count_by_person(decisions: DecisionQuerySet) -> Totals:
    """Count these decisions by person and outcome. One query."""
    newest = decisions.order_by("-id")[:MAX_COUNTED]
    counted = Decision.objects.filter(pk__in=newest.values("pk"))
    counted = counted.alias(label_seen=KT("base__label"))
    by_person = counted.values("reviewer_id", "reviewer__username")
    rows: Any = by_person.annotate(**_COUNTS)

    people = sorted(map(_total, rows), key=lambda person: (-person.total, person.username))
    sums = {}
    for name in (*_COUNTS, "relabelled"):
        sums[name] = sum(getattr(person, name) for person in people)
    return Totals(people=people, sums=sums, is_cut=sums["total"] == MAX_COUNTED)


def _total(row: dict[str, Any]) -> PersonTotal:
    return PersonTotal(
        person_id=row["reviewer_id"],
        username=row["reviewer__username"],
        total=row["total"],
        relabelled=row["total"] - row["confirmed"] - row["undecidable"],
        confirmed=row["confirmed"],
        undecidable=row["undecidable"],
        undone=row["undone"],
    )
