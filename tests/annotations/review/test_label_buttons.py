"""The label buttons: those in use, in an order that does not move under anybody's fingers."""

from __future__ import annotations

import pytest

from reviewapp.annotations.review import label_buttons
from reviewapp.retrievers.guidance.labels import Label
from tests.factories import make_annotation, make_retriever


@pytest.mark.django_db
def test_it_offers_the_labels_of_this_retriever_in_alphabetical_order() -> None:
    retriever = make_retriever()
    for label in ("b", "a", "b", "", "c"):
        make_annotation(retriever, label=label)
    make_annotation(make_retriever("Another"), label="elsewhere")
    assert label_buttons.in_use(retriever.pk) == ["a", "b", "c"]


@pytest.mark.django_db
def test_it_keeps_the_key_of_a_label_when_another_comes_into_use() -> None:
    retriever = make_retriever()
    for label in ("a", "c"):
        make_annotation(retriever, label=label)
    label_buttons.in_use(retriever.pk)
    last = make_annotation(retriever, label="b")
    assert label_buttons.in_use(retriever.pk) == ["a", "c", "b"]
    make_annotation(retriever, label="aa")
    assert label_buttons.in_use(retriever.pk) == ["a", "c", "b", "aa"]
    last.delete()
    assert label_buttons.in_use(retriever.pk) == ["a", "c", "aa"]


@pytest.mark.django_db
def test_it_offers_the_most_used_when_there_are_too_many() -> None:
    retriever = make_retriever()
    for number in range(5):
        for _ in range(number + 1):
            make_annotation(
                retriever, label=f"l{number}", status="decided" if number % 2 else "waiting"
            )
    assert label_buttons.in_use(retriever.pk, limit=2) == ["l3", "l4"]


@pytest.mark.django_db
def test_it_leaves_a_label_its_button_when_another_is_used_as_often() -> None:
    retriever = make_retriever()
    for label in ("b", "c"):
        make_annotation(retriever, label=label)
    assert label_buttons.in_use(retriever.pk, limit=2) == ["b", "c"]
    make_annotation(retriever, label="a")
    assert label_buttons.in_use(retriever.pk, limit=2) == ["b", "c"]
    make_annotation(retriever, label="a")
    assert label_buttons.in_use(retriever.pk, limit=2) == ["b", "a"]


def test_it_offers_nothing_where_there_is_no_retriever() -> None:
    assert label_buttons.in_use(None) == []


def test_it_numbers_twenty_buttons_and_adds_what_is_proposed_or_typed() -> None:
    offered = label_buttons.Offer(
        labels=[Label(value=f"l{number:02}") for number in range(21)], other_allowed=True
    )
    every = label_buttons.buttons(offered, "proposed", "l03", "", chosen="proposed")
    assert [(button.key, button.shift) for button in every[8:12]] == [
        ("9", False),
        ("0", False),
        ("1", True),
        ("2", True),
    ]
    assert (every[19].key, every[19].shift) == ("0", True)
    assert [(button.label, button.key, button.chosen) for button in every[20:]] == [
        ("l20", "", False),
        ("proposed", "", True),
    ]
