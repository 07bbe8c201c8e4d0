"""What each chip and each filter shows, and that it asks the index made for it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.conditions import (
    MATCHING_WORDS,
    MATCHING_WORDS_WHEN_OPENED,
    parameters,
)
from reviewapp.annotations.queue.counts import count_items
from reviewapp.annotations.queue.filter_options import read_options
from reviewapp.annotations.queue.filters import Band, QueueFilter, Show, Sort
from reviewapp.annotations.queue.pages import load_queue_page
from tests.annotations.queue.statements import page_statement
from tests.factories import (
    LONG_AGO,
    make_annotation,
    make_change,
    make_lease,
    make_retriever,
    make_set_aside,
)

pytestmark = pytest.mark.django_db


def chip_texts(person: User, **filters: Any) -> list[str]:
    queue_filter = QueueFilter(**filters)
    return [row.title for row in load_queue_page(queue_filter, person).rows]


def decided(by: User, **values: Any) -> Annotation:
    defaults: dict[str, Any] = {"status": "decided", "reviewer": by, "decided_at": LONG_AGO}
    return make_annotation(**defaults | values)


def test_it_shows_what_waits_least_sure_first(alice: User, bob: User) -> None:
    make_annotation(title="sure", confidence=0.9)
    make_annotation(title="unsure", confidence=0.1)
    make_annotation(title="no confidence", confidence=None)
    make_annotation(title="gone", status="gone")
    decided(bob, title="decided")
    assert chip_texts(alice) == ["no confidence", "unsure", "sure"]


def test_it_leaves_out_of_waiting_what_i_set_aside_but_not_what_others_did(
    alice: User, bob: User
) -> None:
    make_set_aside(make_annotation(title="skipped"), alice, "skipped")
    both = make_annotation(title="deferred by both")
    make_set_aside(both, alice)
    make_set_aside(both, bob)
    make_set_aside(make_annotation(title="deferred by bob"), bob)
    assert chip_texts(alice) == ["deferred by bob"]
    assert chip_texts(alice, show=Show.DEFERRED) == ["deferred by both"]


def test_it_shows_what_others_hold_too(alice: User, bob: User) -> None:
    make_lease(make_annotation(title="held"), bob)
    assert chip_texts(alice) == ["held"]


def test_it_forgets_a_deferral_once_somebody_decided(alice: User, bob: User) -> None:
    make_set_aside(decided(bob, title="decided"), alice)
    assert chip_texts(alice, show=Show.DEFERRED) == []


def test_it_tells_my_decisions_from_everybodys(alice: User, bob: User) -> None:
    decided(alice, title="mine")
    decided(bob, title="his", status="undecidable")
    make_annotation()
    assert chip_texts(alice, show=Show.MINE) == ["mine"]
    assert chip_texts(alice, show=Show.DECIDED) == ["his", "mine"]


def test_it_counts_what_a_person_decided_upstream_as_decided_at_the_time_they_did(
    alice: User,
) -> None:
    decided(alice, title="ours", decided_at=LONG_AGO)
    make_annotation(title="upstream", status="decided", updated_at=LONG_AGO + timedelta(days=1))
    make_annotation(
        title="never edited",
        status="decided",
        updated_at=None,
        seen_at=LONG_AGO - timedelta(days=1),
    )
    assert chip_texts(alice, show=Show.DECIDED) == ["upstream", "ours", "never edited"]


def test_it_knows_that_what_waits_has_no_reviewer(alice: User, bob: User) -> None:
    make_annotation()
    decided(bob, title="bob's")
    queue_filter = QueueFilter(reviewer=bob.pk)
    assert chip_texts(alice, reviewer=bob.pk) == []
    assert count_items(queue_filter, alice).by_show() == {
        show: int(show in {Show.DECIDED, Show.ALL}) for show in Show
    }


def test_it_shows_conflicts_and_refusals_together(alice: User) -> None:
    make_change(decided(alice, title="conflict"), "conflict")
    make_change(decided(alice, title="refused"), "refused")
    make_change(decided(alice, title="delivered"), "delivered")
    assert chip_texts(alice, show=Show.CONFLICT, sort=Sort.OLDEST) == ["conflict", "refused"]


def test_it_shows_what_is_not_delivered_once_however_many_changes(alice: User) -> None:
    annotation = decided(alice, title="queued")
    make_change(annotation)
    make_change(annotation)
    make_change(decided(alice, title="delivered"), "delivered")
    assert chip_texts(alice, show=Show.UNDELIVERED) == ["queued"]


def test_it_filters_by_retriever_label_status_and_reviewer(alice: User, bob: User) -> None:
    brand = make_retriever("Brand")
    make_annotation(brand, title="brand", label="yes")
    decided(bob, title="bob's", label="no", status="undecidable")
    assert chip_texts(alice, show=Show.ALL, retriever=brand.pk) == ["brand"]
    assert chip_texts(alice, show=Show.ALL, label="yes") == ["brand"]
    assert chip_texts(alice, show=Show.ALL, status="undecidable") == ["bob's"]
    assert chip_texts(alice, show=Show.ALL, reviewer=bob.pk) == ["bob's"]
    assert chip_texts(alice, show=Show.ALL, reviewer=bob.pk, label="yes") == []


def test_it_cuts_confidence_into_bands_without_gap_or_overlap(alice: User) -> None:
    for confidence in (None, 0, 0.4999, 0.5, 0.7999, 0.8, 1):
        make_annotation(title=str(confidence), confidence=confidence)
    assert chip_texts(alice, band=Band.NONE) == ["None"]
    assert chip_texts(alice, band=Band.LOW) == ["0", "0.4999"]
    assert chip_texts(alice, band=Band.MIDDLE) == ["0.5", "0.7999"]
    assert chip_texts(alice, band=Band.HIGH) == ["0.8", "1"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("blue van", ["both"]),
        ("blue or red", ["both", "red"]),
        ("blue -van", []),
        ('"van blue"', []),
        ("VAN", ["both"]),
        ("doc_red", ["red"]),
        ("'); drop table", []),
        ("!!! & | <->", []),
        ("\ud7ff 上海", []),
    ],
)
def test_it_searches_like_the_web(alice: User, words: str, found: list[str]) -> None:
    make_annotation(title="both", words="A blue van")
    make_annotation(title="red", words="A red car", document_id="doc_red")
    assert chip_texts(alice, q=words, sort=Sort.OLDEST) == found


def test_it_sorts_every_way_with_and_without_values(alice: User) -> None:
    make_annotation(title="a", confidence=0.2, score=7.5)
    make_annotation(title="b", confidence=None, score=None)
    make_annotation(title="c", confidence=0.9, score=-3.0)
    assert chip_texts(alice, sort=Sort.LEAST_SURE) == ["b", "a", "c"]
    assert chip_texts(alice, sort=Sort.MOST_SURE) == ["c", "a", "b"]
    assert chip_texts(alice, sort=Sort.OLDEST) == ["a", "b", "c"]
    assert chip_texts(alice, sort=Sort.NEWEST) == ["c", "b", "a"]
    assert chip_texts(alice, sort=Sort.SCORE) == ["a", "c", "b"]


def test_it_lists_each_label_once_in_order(
    db: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for label in ("b", "a", "", "b", "ü"):
        make_annotation(label=label)
    with django_assert_max_num_queries(2):
        assert json.loads(read_options().labels) == sorted(["a", "b", "ü"])
    assert json.loads(read_options(max_labels=1).labels) == ["a"]


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "annotation_sureness"),
        ({"sort": Sort.OLDEST}, "annotation_age"),
        ({"show": Show.ALL}, "annotation_any_sureness"),
        ({"show": Show.ALL, "sort": Sort.SCORE}, "annotation_any_relevance"),
        ({"show": Show.DECIDED}, "annotation_decided"),
        ({"show": Show.DECIDED, "sort": Sort.LEAST_SURE}, "annotation_decided_sureness"),
        ({"show": Show.DECIDED, "sort": Sort.MOST_SURE}, "annotation_decided_sureness"),
        ({"sort": Sort.SCORE}, "annotation_waiting_score"),
        ({"retriever": 1, "sort": Sort.SCORE}, "annotation_retriever_score"),
        ({"show": Show.MINE}, "annotation_reviewer"),
        ({"show": Show.ALL, "retriever": 1, "status": "waiting"}, "annotation_retriever_sure"),
    ],
)
def test_it_walks_an_index_made_for_the_order(
    alice: User, filters: dict[str, Any], index: str
) -> None:
    queue_filter = QueueFilter(**filters)
    retrievers = [make_retriever() for _ in range(10)]
    Annotation.objects.bulk_create(
        Annotation(
            ref=f"annotations/{n}",
            document_id=f"doc_{n}",
            retriever=retrievers[n % 10],
            status="decided" if n // 10 % 20 else "waiting",
            seen_at=LONG_AGO,
        )
        for n in range(400)
    )
    with connection.cursor() as cursor:
        # So small a table is read whole and sorted; only without both does the plan show which
        # index could serve.
        cursor.execute("ANALYZE annotations_annotation")
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
        )
        statement = page_statement(queue_filter, is_start=True)
        cursor.execute(f"EXPLAIN {statement.text}", parameters(queue_filter, alice))
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert index in plan
    assert "Sort" not in plan.replace("Sort Key", "")


@pytest.mark.parametrize(
    ("condition", "uses_index"),
    [(MATCHING_WORDS, True), (MATCHING_WORDS_WHEN_OPENED, False)],
)
def test_it_searches_by_its_index_unless_told_to_open_each_row(
    alice: User, condition: str, uses_index: bool
) -> None:
    annotation = make_annotation(words="a blue van")
    make_annotation(words="a boat")
    query = f"SELECT id FROM annotations_annotation WHERE {condition}"
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        cursor.execute(f"EXPLAIN {query}", {"words": "van"})
        plan = str(cursor.fetchall())
        cursor.execute(query, {"words": "van"})
        assert cursor.fetchall() == [(annotation.pk,)]
    assert ("annotation_search" in plan) == uses_index


def test_it_searches_by_its_index_however_frequent_the_words(alice: User) -> None:
    annotations = []
    for number in range(3_000):
        annotation = Annotation(
            ref=f"annotations/{number}",
            document_id=f"doc_{number}",
            words="" if number % 3 else "van",
            seen_at=LONG_AGO,
        )
        annotations.append(annotation)
    Annotation.objects.bulk_create(annotations, batch_size=1_000)
    query = f"SELECT id FROM annotations_annotation WHERE {MATCHING_WORDS} LIMIT 101"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE annotations_annotation")
        cursor.execute(f"EXPLAIN {query}", {"words": "van"})
        plan = str(cursor.fetchall())
    assert "annotation_search" in plan
