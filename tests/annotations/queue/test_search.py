"""Every way to search the queue returns all matches, nothing else, in the list's order."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Lease, SetAside
from reviewapp.annotations.queue.claim_next import claim_next_annotation
from reviewapp.annotations.queue.counts import count_items, done_and_left
from reviewapp.annotations.queue.filters import Band, QueueFilter, Show, Sort
from reviewapp.annotations.queue.pages import load_queue_page, previous_key
from reviewapp.annotations.queue.querysets import candidates
from reviewapp.annotations.queue.search import SEARCH_COUNT_LIMIT, Matches, find_matches
from reviewapp.web.pagination import Page
from tests.factories import LONG_AGO, make_retriever
from tests.proofs import examples

pytestmark = pytest.mark.django_db

LABELS, WORDS = ("logo", "parody"), ("harbour", "lighthouse", "van", "boat")
# The words of a search, and which rows it is about.
SEARCHES: dict[str, Callable[[set[str]], bool]] = {
    "harbour": lambda words: "harbour" in words,
    "harbour van": lambda words: {"harbour", "van"} <= words,
    "harbour -boat": lambda words: "harbour" in words and "boat" not in words,
    "lighthouse or van": lambda words: bool({"lighthouse", "van"} & words),
    "-harbour": lambda words: "harbour" not in words,
    "submarine": lambda _: False,
    "…": lambda _: False,
}
FILTERS = st.builds(
    QueueFilter,
    show=st.sampled_from([Show.WAITING, Show.MINE, Show.DEFERRED, Show.DECIDED, Show.ALL]),
    q=st.sampled_from(sorted(SEARCHES)),
    label=st.sampled_from(["", *LABELS]),
    status=st.sampled_from(["", "waiting", "decided"]),
    band=st.sampled_from(["", *Band.values]),
    reviewer=st.sampled_from([None, None, 1]),
    sort=st.sampled_from(["", Sort.MOST_SURE, Sort.NEWEST, Sort.OLDEST, Sort.SCORE]),
)
# As if there were more than is fetched and sorted, and of frequent words: stretches of a few rows
# each.
WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"has_more": True, "spans": (1, 3, 10)},
    {"has_more": True, "spans": (500,)},
    {"has_more": True, "is_frequent": True, "opened_rows": 4, "spans": (5,)},
    {"has_more": True, "is_frequent": True, "opened_rows": 500},
)


@pytest.fixture
def many(alice: User, bob: User) -> list[Annotation]:
    """Annotations of every sort, many of them equal in what lists are ordered by."""
    dice, retrievers = random.Random(7), [make_retriever(), make_retriever()]
    rows = [
        row(dice, number, retrievers[number % 2], dice.choice([alice, bob])) for number in range(90)
    ]
    made = Annotation.objects.bulk_create(rows)
    kinds = itertools.product(["deferred", "deferred", "skipped"], [alice, bob])
    SetAside.objects.bulk_create(
        SetAside(annotation=one, person=person, kind=kind)
        for one, (kind, person) in zip(made[::4], itertools.cycle(kinds), strict=False)
    )
    return made


def row(dice: random.Random, number: int, retriever: Any, reviewer: User) -> Annotation:
    """One of the many; a third of them is decided."""
    decided: dict[str, Any] = (
        {"status": "decided", "reviewer": reviewer, "decided_at": LONG_AGO}
        if number % 3 == 0
        else {}
    )
    return Annotation(
        ref=f"annotations/many_{number}",
        document_id=f"many_{number}",
        retriever=retriever,
        label=dice.choice(LABELS),
        confidence=dice.choice([None, 0.1, 0.5, 0.5, 0.9]),
        score=dice.choice([None, 0.3, 0.6]),
        words=" ".join(dice.sample(WORDS, dice.randrange(4))),
        seen_at=LONG_AGO,
        **({} if number % 3 else decided),
    )


BANDS: dict[str, Callable[[float], bool]] = {
    "": lambda _: True,
    Band.NONE: lambda sureness: sureness == -1,
    Band.LOW: lambda sureness: 0 <= sureness < 0.5,
    Band.MIDDLE: lambda sureness: 0.5 <= sureness < 0.8,
    Band.HIGH: lambda sureness: sureness >= 0.8,
}


def is_shown(annotation: Annotation, chosen: QueueFilter, person: User, kind: str) -> bool:
    """Whether the filter shows it without the search; `kind` is how the person set it aside."""
    is_waiting = annotation.status == "waiting"
    is_of_chip = {
        Show.WAITING: is_waiting and not kind,
        Show.MINE: annotation.reviewer_id == person.pk,
        Show.DEFERRED: is_waiting and kind == "deferred",
        Show.DRAFTS: False,
        Show.DECIDED: not is_waiting,
        Show.CONFLICT: False,
        Show.UNDELIVERED: False,
        Show.ALL: True,
    }
    return (
        is_of_chip[chosen.show]
        and chosen.label in {"", annotation.label}
        and chosen.status in {"", annotation.status}
        and chosen.reviewer in {None, annotation.reviewer_id}
        and BANDS[chosen.band](annotation.sureness)
    )


def naive(chosen: QueueFilter, person: User) -> list[int]:
    """The keys of what the filter shows, each row looked at by itself."""
    kinds = dict(SetAside.objects.filter(person=person).values_list("annotation_id", "kind"))
    shown = []
    for annotation in Annotation.objects.order_by(*chosen.order):
        words = set(annotation.words.split())
        kind = kinds.get(annotation.pk, "")
        if is_shown(annotation, chosen, person, kind) and SEARCHES[chosen.q](words):
            shown.append(annotation.pk)
    return shown


def pages(
    chosen: QueueFilter, person: User, found: Matches, cursor: str = "", way: str = "after"
) -> list[Page[Any]]:
    """The page of a cursor and all that are reached from it."""
    there = [load_queue_page(chosen, person, cursor=cursor, found=found)]
    while further := getattr(there[-1], way):
        there.append(load_queue_page(chosen, person, cursor=further, found=found))
    return there


def keys(pages: Iterable[Page[Any]]) -> list[int]:
    return [row.id for page in pages for row in page.rows]


@pytest.mark.parametrize("way", WAYS)
@given(chosen=FILTERS)
@settings(
    max_examples=examples(20, 200), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_it_pages_through_all_that_matches_whichever_way(
    many: list[Annotation], alice: User, way: dict[str, Any], chosen: QueueFilter
) -> None:
    found = replace(find_matches(chosen, alice), **way)
    expected = naive(chosen, alice)
    there = pages(chosen, alice, found)
    assert keys(there) == expected
    if before := there[-1].before:
        back = pages(chosen, alice, found, before, "before")
        assert keys(reversed(back)) == expected[: -len(there[-1].rows)]


@given(chosen=FILTERS, place=st.integers(0, 89))
@settings(
    max_examples=examples(20, 200), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_it_goes_to_the_item_before_and_behind_as_without_a_search(
    many: list[Annotation], alice: User, chosen: QueueFilter, place: int
) -> None:
    at = Annotation.objects.get(pk=many[place].pk)
    behind = (
        candidates(chosen, alice, at).first() or candidates(chosen, alice).exclude(pk=at.pk).first()
    )
    assert claim_next_annotation(chosen, alice, at, now=timezone.now()) == (
        behind.pk if behind else None
    )
    Lease.objects.all().delete()
    before = previous_key(chosen, alice, at)
    expected = naive(chosen, alice)
    if at.pk in expected:
        where = expected.index(at.pk)
        assert before == (expected[where - 1] if where else None)


@given(chosen=FILTERS)
@settings(
    max_examples=examples(20, 200), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_it_counts_what_each_chip_would_list(
    many: list[Annotation], alice: User, chosen: QueueFilter
) -> None:
    number = count_items(chosen, alice).by_show()
    assert number == {show: len(naive(chosen.showing(show), alice)) for show in Show}
    assert done_and_left(chosen, alice, since=timezone.now())[1] == number[chosen.show]
    assert not find_matches(chosen, alice).at_least


def test_it_says_when_it_counts_only_some_of_it(alice: User) -> None:
    Annotation.objects.bulk_create(
        Annotation(ref=f"annotations/{n}", document_id=f"doc_{n}", words="pier", seen_at=LONG_AGO)
        for n in range(SEARCH_COUNT_LIMIT + 1)
    )
    found = find_matches(QueueFilter(q="pier"), alice)
    assert found.at_least
    assert count_items(QueueFilter(q="pier"), alice, found=found).all == SEARCH_COUNT_LIMIT


def test_it_knows_from_statistics_which_words_are_frequent(alice: User) -> None:
    rows = [
        Annotation(ref=f"annotations/{n}", document_id=f"doc_{n}", words="pier", seen_at=LONG_AGO)
        for n in range(3_300)
    ]
    Annotation.objects.bulk_create(rows, batch_size=1_000)
    chosen = QueueFilter(q="pier", sort=Sort.NEWEST)
    assert not find_matches(chosen, alice).is_frequent
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE annotations_annotation")
    found = find_matches(chosen, alice)
    assert (found.is_frequent, found.at_least) == (True, True)
    newest = Annotation.objects.order_by("-id").values_list("pk", flat=True)
    assert keys([load_queue_page(chosen, alice, found=found)]) == list(newest[:30])
    assert not find_matches(replace(chosen, q="pier doc_7"), alice).is_frequent
