"""The list sizes a bulk plan rests on: by retriever and label, counted seldom."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from reviewapp.sync.list_sizes import Sizes
from tests.factories import make_annotation, make_retriever

pytestmark = pytest.mark.django_db


def test_it_counts_what_a_list_would_hold(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    retriever, other = make_retriever(), make_retriever()
    for label in ("van", "van", "logo"):
        make_annotation(retriever, label=label)
    make_annotation(other, label="van")
    make_annotation(retriever, label="", annotation_id=None)
    with django_assert_max_num_queries(2):
        size = Sizes().of({retriever.retriever_id, other.retriever_id, "ret_unknown"})
    assert (size(retriever.retriever_id, None), size(retriever.retriever_id, "van")) == (3, 2)
    assert (
        size(other.retriever_id, None),
        size(other.retriever_id, "logo"),
        size("ret_unknown", None),
    ) == (1, 0, 0)


def test_it_counts_again_only_what_is_new_to_it(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    retriever, other, sizes = make_retriever(), make_retriever(), Sizes()
    sizes.of({retriever.retriever_id})
    make_annotation(retriever, label="van")
    with django_assert_num_queries(0):
        assert sizes.of({retriever.retriever_id})(retriever.retriever_id, None) == 0
    assert sizes.of({retriever.retriever_id, other.retriever_id})(other.retriever_id, None) == 0
    sizes.clear()
    assert sizes.of({retriever.retriever_id})(retriever.retriever_id, None) == 1
