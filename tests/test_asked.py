"""Questions that are compiled once: they answer what their QuerySets would."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import QuerySet
from pytest_django import DjangoAssertNumQueries

from reviewapp.annotations.models import Annotation
from reviewapp.asked import asked
from tests.factories import make_annotation, make_retriever

pytestmark = pytest.mark.django_db


@asked
def labelled(label: str, since: datetime, least: float) -> QuerySet[Annotation]:
    """One of each kind of value that is compared in it."""
    annotations = Annotation.objects.select_related("retriever").filter(
        label=label, seen_at__gte=since
    )
    return annotations.filter(confidence__gte=least).order_by("id")


@asked
def names(pk: int) -> QuerySet[Annotation, Any]:
    """A question for values."""
    return (
        Annotation.objects.filter(pk__gte=pk)
        .values_list("id", "retriever__name", named=True)
        .order_by("id")
    )


def test_it_answers_with_objects_and_their_neighbours(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    retriever = make_retriever()
    annotation = make_annotation(retriever, label="logo", confidence=0.9, payload={"a": [1]})
    make_annotation(retriever, label="logo", confidence=0.1)
    make_annotation(retriever, label="parody", confidence=0.9)
    for _ in range(2):
        with django_assert_max_num_queries(2):
            (answer,) = labelled(label="logo", since=datetime(2000, 1, 1, tzinfo=UTC), least=0.5)
            assert (answer, answer.payload, answer.retriever) == (annotation, {"a": [1]}, retriever)
    assert labelled(label="logo", since=datetime(9000, 1, 1, tzinfo=UTC), least=0.5) == []


def test_it_answers_with_values_by_name() -> None:
    annotation = make_annotation(make_retriever(name="Triage"))
    (row,) = names(pk=annotation.pk)
    assert (row.id, row.retriever__name) == (annotation.pk, "Triage")


def test_it_keeps_no_answer() -> None:
    annotation = make_annotation(make_retriever(name="Triage"))
    names(pk=annotation.pk)
    Annotation.objects.all().update(retriever=make_retriever(name="Another"))
    assert [row.retriever__name for row in names(pk=annotation.pk)] == ["Another"]


@asked
def oddly_titled(label: str) -> QuerySet[Annotation]:
    """What never changes is text that SQL and the driver could misread."""
    return Annotation.objects.filter(title="50% o'clock %s \\", status="waiting", label=label)


def test_it_reads_text_that_never_changes_as_it_is_written() -> None:
    annotation = make_annotation(title="50% o'clock %s \\", label="logo")
    make_annotation(title="50", label="logo")
    assert oddly_titled(label="logo") == [annotation]
