"""Queueing a change: what is stored, and which wake-ups are scheduled."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.outbox import services
from reviewapp.outbox.models import Change
from tests.people import make_person

pytestmark = pytest.mark.django_db
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
LEAVES = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e15, 1e15) | TEXTS
OBJECTS = st.dictionaries(
    TEXTS, st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner))
)
# In a whole second, so that fractions of it can be added.
SOON = (timezone.now() + timedelta(hours=1)).replace(microsecond=0)


def enqueue(actor: User, ref: str = "annotations/ann_1", **more: Any) -> Change:
    values: dict[str, Any] = {"fields": {"label": "logo"}, "base": {}}
    return services.enqueue(ref, actor=actor, **values | more)


def wake_ups() -> list[datetime | None]:
    jobs = ProcrastinateJob.objects.filter(task_name="sync.deliver", status="todo")
    return sorted(job.scheduled_at for job in jobs)


@pytest.mark.slow
@given(fields=OBJECTS, base=OBJECTS, version=st.none() | st.integers(-(2**31), 2**31 - 1))
def test_it_stores_any_json(
    fields: dict[str, Any], base: dict[str, Any], version: int | None
) -> None:
    actor = User.objects.first() or make_person("alice")
    change = enqueue(actor, fields=fields, base=base, base_version=version)
    stored = Change.objects.get(pk=change.pk)
    assert (stored.fields, stored.base, stored.base_version) == (fields, base, version)
    assert change.fields == fields


def test_it_stores_what_it_returns_with_one_statement(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(1):
        change = enqueue(alice)
    stored = Change.objects.get(pk=change.pk)
    for field in Change._meta.fields:
        assert getattr(change, field.attname) == getattr(stored, field.attname), field.name
    assert (change.state, change.actor_name) == ("queued", "alice")


def test_it_stores_nothing_that_json_cannot_say(alice: User) -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        enqueue(alice, fields={"label": {1, 2}})


def test_it_tells_how_many_changes_wait_before_it(alice: User) -> None:
    assert [enqueue(alice).ahead for _ in range(3)] == [0, 1, 2]
    assert enqueue(alice, "annotations/ann_2").ahead == 0
    Change.objects.filter(ref="annotations/ann_1").update(
        state="withdrawn", settled_at=timezone.now()
    )
    assert enqueue(alice).ahead == 0


def test_it_schedules_one_wake_up_for_holds_that_overlap_and_each_schedules_the_next(
    alice: User,
) -> None:
    dues = [SOON + timedelta(seconds=seconds) for seconds in (0, 0.5, 3)]
    for number, due in enumerate(dues):
        enqueue(alice, f"annotations/{number}", held_until=due)
    assert wake_ups() == dues[:1]

    for number in range(len(dues)):
        # Time passes.
        Change.objects.filter(ref=f"annotations/{number}").update(due=timezone.now())
        services.schedule_next_wakeup()
        services.schedule_next_wakeup()
        assert wake_ups() == dues[: number + 2]


@pytest.mark.parametrize(
    "columns",
    [
        {"claimed_at": SOON},
        {"state": "withdrawn", "settled_at": SOON},
        {"due": timezone.now()},
        {"due": SOON + timedelta(seconds=1)},
    ],
    ids=["claimed", "withdrawn", "due already", "due later"],
)
def test_it_relies_on_no_change_whose_wake_up_does_not_come_first(
    alice: User, columns: dict[str, Any]
) -> None:
    first = enqueue(alice, "annotations/first", held_until=SOON)
    Change.objects.filter(pk=first.pk).update(**columns)
    enqueue(alice, "annotations/second", held_until=SOON)
    assert wake_ups() == [SOON, SOON]
