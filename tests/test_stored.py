"""Rows that go to the database as one JSON value: they are what Django would have stored."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from reviewapp import stored
from reviewapp.outbox.models import Change

pytestmark = pytest.mark.django_db
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
LEAVES = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e15, 1e15) | TEXTS
OBJECTS = st.dictionaries(
    TEXTS, st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner))
)


def change(**more: Any) -> Change:
    return Change(ref="annotations/ann_1", due=timezone.now(), **{"fields": {}, "base": {}} | more)


@pytest.mark.slow
@given(fields=OBJECTS, reason=TEXTS, version=st.none() | st.integers(-(2**31), 2**31 - 1))
def test_it_stores_what_django_would(
    fields: dict[str, Any], reason: str, version: int | None
) -> None:
    ours, theirs = (
        change(fields=fields, reason=reason, base_version=version, cause=uuid.uuid4())
        for _ in range(2)
    )
    stored.insert(ours)
    theirs.save()
    ours.refresh_from_db()
    theirs.refresh_from_db()
    assert ours.pk != theirs.pk
    assert (ours.fields, ours.reason, ours.base_version) == (
        theirs.fields,
        theirs.reason,
        theirs.base_version,
    )
    assert (ours.state, ours.theirs, ours.cause is None) == ("queued", None, False)


def test_it_gives_key_and_times_in_few_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    created = change()
    with django_assert_max_num_queries(2):
        stored.insert(created)
    kept = Change.objects.get(pk=created.pk)
    assert (kept.created_at, kept.due) == (created.created_at, created.due)


def test_it_stores_nothing_that_json_cannot_say() -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        stored.insert(change(fields={"a": {1, 2}}))
