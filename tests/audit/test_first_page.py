"""The history without filters, read from page to page."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from reviewapp.audit.first_page import SIZE, filter_choices, newest_page
from reviewapp.audit.models import Event
from reviewapp.audit.querysets import NEWEST_FIRST
from reviewapp.retrievers.models import Retriever
from reviewapp.web import pagination
from tests.factories import make_annotation, make_retriever

pytestmark = pytest.mark.django_db


def test_it_goes_through_the_whole_history_and_back(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(SIZE + 20):
        make_annotation()
    every = [event.id for event in Event.objects.newest()]
    assert len(every) > SIZE
    with django_assert_max_num_queries(2):
        first = newest_page()
    with django_assert_max_num_queries(2):
        second = newest_page(first.after)
    assert [event.id for event in (*first.rows, *second.rows)] == every[: 2 * SIZE]
    with django_assert_max_num_queries(2):
        assert newest_page(second.before) == first
    of_queryset = pagination.page(Event.objects.newest(), order=NEWEST_FIRST, size=SIZE)
    assert (of_queryset.before, of_queryset.after) == (first.before, first.after)


def test_it_refuses_a_cursor_of_another_list() -> None:
    for values in (["after", 1, 2], ["after", {"at": "2026-01-02T00:00:00+00:00"}, "x"]):
        with pytest.raises(pagination.BadCursor):
            newest_page(keyset_cursor(values))


def test_it_names_people_as_they_are_now(alice: object) -> None:
    before = filter_choices().people
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET username = 'zora' WHERE username = 'alice'")
    assert [name for _, name in before] != [name for _, name in filter_choices().people]


def test_it_names_each_retriever_as_it_was_named_last() -> None:
    retriever = make_retriever(name="Logos")
    Retriever.objects.filter(pk=retriever.pk).update(name="Marks")
    assert filter_choices().retriever_names == {retriever.retriever_id: "Marks"}
    retriever.delete()
    assert filter_choices().retriever_names == {retriever.retriever_id: "Marks"}


def test_it_names_a_retriever_by_its_id_where_it_has_no_name() -> None:
    retriever = make_retriever(name="")
    assert filter_choices().retriever_names == {retriever.retriever_id: retriever.retriever_id}


def keyset_cursor(values: Sequence[object]) -> str:
    """A cursor as an address might hold it."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
