"""How long the items that wait have been waiting."""

from __future__ import annotations

from dataclasses import dataclass

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.conditions import AGES
from reviewapp.annotations.queue.filters import Age, QueueFilter, Show
from reviewapp.postgres.statement import sql_file
from reviewapp.retrievers.models import Retriever


@dataclass(frozen=True)
class _AgeCounts:
    day: int
    week: int
    month: int
    older: int
    unknown: int


@dataclass(frozen=True, kw_only=True)
class WaitingCount:
    """How many waiting items are of an age; `queue_filter` shows them in the queue."""

    age: Age
    count: int
    queue_filter: QueueFilter


_WAITING = sql_file(__file__, "waiting.sql", _AgeCounts).with_pieces(
    **{age.value: condition for age, condition in AGES.items()}
)


def count_waiting(retriever_id: str = "") -> list[WaitingCount]:
    """Count what waits by age; nothing for `NO_RETRIEVER`, which the queue cannot filter by.

    `retriever_id` is Mixpeek's, "" for all. Two queries at most.
    """
    retriever = None
    if retriever_id:
        retrievers = Retriever.objects.filter(retriever_id=retriever_id)
        retriever = retrievers.values_list("pk", flat=True).first()
        if retriever is None:
            return []

    (ages,) = _WAITING.rows(retriever=retriever)
    counts = []
    for age in Age:
        shown = QueueFilter(
            show=Show.ALL, status=Annotation.Status.WAITING, retriever=retriever, age=age.value
        )
        count = WaitingCount(age=age, count=getattr(ages, age.value), queue_filter=shown)
        counts.append(count)
    return counts
