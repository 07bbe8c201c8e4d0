"""Filters live in the address: read with patience, written without noise."""

from __future__ import annotations

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.annotations.queue.filters import Band, QueueFilter, Show, Sort

ADDRESSES = st.builds(
    QueueFilter,
    show=st.sampled_from(Show),
    q=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=50).map(str.strip),
    retriever=st.none() | st.integers(1, 2**63 - 1),
    label=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=50).map(
        str.strip
    ),
    status=st.sampled_from(["", "waiting", "decided", "undecidable", "gone"]),
    reviewer=st.none() | st.integers(1, 2**63 - 1),
    band=st.sampled_from(["", *Band.values]),
)


def parse(address: str) -> QueueFilter:
    return QueueFilter.parse(QueryDict(address.removeprefix("?")))


@given(ADDRESSES)
def test_it_reads_what_it_writes(chosen: QueueFilter) -> None:
    assert parse(chosen.querystring()) == chosen


def test_it_says_nothing_when_there_is_nothing_to_say() -> None:
    assert QueueFilter().querystring() == ""
    assert parse("show=waiting&q=&retriever=&label=&sort=least-sure").querystring() == ""


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("show=nowhere", "The filter “Part of the queue” was ignored: There is no “nowhere”."),
        ("band=xyz", "The filter “Confidence” was ignored: There is no “xyz”."),
        ("status=maybe", "The filter “Status” was ignored: There is no “maybe”."),
        ("sort=random", "The filter “Order” was ignored: There is no “random”."),
        (
            "sort=decided",
            "The filter “Order” was ignored: Only Mine and Decided can be sorted by decision.",
        ),
        ("retriever=abc", "The filter “Retriever” was ignored: Enter a whole number."),
        (
            "retriever=-1",
            "The filter “Retriever” was ignored: Ensure this value is greater than or equal to 1.",
        ),
        (
            f"reviewer={2**63}",
            f"The filter “Reviewer” was ignored: Ensure this value is less than or equal to {2**63 - 1}.",
        ),
        ("q=a%00b", "The filter “Search” was ignored: Null characters are not allowed."),
        (
            f"q={'x' * 201}",
            "The filter “Search” was ignored: Ensure this value has at most 200 characters (it has 201).",
        ),
        (
            f"label={'x' * 101}",
            "The filter “Label” was ignored: Ensure this value has at most 100 characters (it has 101).",
        ),
    ],
)
def test_it_leaves_out_what_makes_no_sense_and_says_so(address: str, sentence: str) -> None:
    queue_filter = parse(f"{address}&label=logo" if not address.startswith("label") else address)
    assert queue_filter.problems == (sentence,)
    assert queue_filter.show == Show.WAITING
    assert queue_filter.querystring() == ("" if address.startswith("label") else "?label=logo")


@given(
    st.dictionaries(
        st.sampled_from(["show", "q", "retriever", "label", "band", "sort", "cursor"]), st.text()
    )
)
def test_it_survives_any_address(data: dict[str, str]) -> None:
    QueueFilter.parse(data).querystring()


def test_it_orders_each_part_naturally() -> None:
    assert parse("").order == ("sureness", "id")
    assert parse("show=mine").order == ("-decided_at", "-id")
    assert parse("show=decided").order == ("-settled_at", "-id")
    assert parse("show=mine&sort=oldest").order == ("id",)
    assert parse("show=all&sort=score").active_sort == Sort.SCORE


def test_it_keeps_filters_when_another_part_is_shown_but_not_an_order_that_part_cannot_have() -> (
    None
):
    queue_filter = QueueFilter(show=Show.MINE, label="logo", sort=Sort.DECIDED)
    assert queue_filter.showing(Show.WAITING) == QueueFilter(label="logo")
    assert queue_filter.showing(Show.DECIDED) == QueueFilter(
        show=Show.DECIDED, label="logo", sort=Sort.DECIDED
    )


def test_it_knows_whether_filters_leave_anything_out() -> None:
    assert not parse("show=all&sort=oldest&band=xyz").is_narrowed
    assert parse("q=logo").is_narrowed
