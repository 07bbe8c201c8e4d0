"""The label set editor without scripts: add, remove and move rows; errors are at their row."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.accounts.models import User
from reviewapp.retrievers.guidance import label_rows
from reviewapp.retrievers.guidance.label_rows import Row
from reviewapp.retrievers.models import LabelSet, Retriever

TWO = {
    "value": ["logo", "no logo", ""],
    "title": ["A logo", "", ""],
    "description": ["Seen whole", "", ""],
    "colour": ["green", "none", "none"],
}


def post(client: Client, retriever: Retriever, **data: Any) -> Any:
    return client.post(
        reverse("label_set", args=[retriever.pk]), TWO | {"base_version": "0"} | data
    )


def values(page: Any) -> list[str]:
    return [row.value for row in page.context["form"].rows]


def test_it_saves_the_rows_that_are_not_blank(
    client: Client, adam: User, retriever: Retriever
) -> None:
    client.force_login(adam)
    assert post(client, retriever).status_code == 302
    label_set = LabelSet.objects.get()
    assert label_set.labels == [
        {"value": "logo", "title": "A logo", "description": "Seen whole", "colour": "green"},
        {"value": "no logo", "title": "", "description": "", "colour": "none"},
    ]
    assert (label_set.version, label_set.other_allowed) == (1, False)
    assert post(client, retriever, base_version="1", other_allowed="yes").status_code == 302
    assert LabelSet.objects.get(version=2).other_allowed
    assert values(client.get(reverse("label_set", args=[retriever.pk]))) == ["logo", "no logo", ""]


@pytest.mark.parametrize(
    ("act", "after"),
    [
        ("add", ["logo", "no logo", ""]),
        ("up:1", ["no logo", "logo", ""]),
        ("up:0", ["logo", "no logo", ""]),
        ("down:0", ["no logo", "logo", ""]),
        ("down:2", ["logo", "no logo", ""]),
        ("remove:0", ["no logo", ""]),
    ],
)
def test_it_moves_rows_and_saves_nothing(
    client: Client, adam: User, retriever: Retriever, act: str, after: list[str]
) -> None:
    client.force_login(adam)
    page = post(client, retriever, act=act, other_allowed="yes")
    assert (page.status_code, values(page)) == (200, after)
    assert page.context["form"].other_allowed is True
    assert not LabelSet.objects.exists()


def test_it_adds_no_second_empty_row() -> None:
    full = [Row(value="logo"), Row(description="no value yet")]
    one_more = label_rows.press_button(full, "add")
    assert one_more == [*full, Row()]
    assert label_rows.press_button(one_more, "add") == one_more


@given(st.lists(st.text(max_size=3), min_size=1, max_size=5), st.text(max_size=8))
def test_it_loses_no_row_but_the_one_removed(texts: list[str], number: str) -> None:
    rows = [Row(value=text) for text in texts]
    for verb in ("up", "down"):
        moved = label_rows.press_button(rows, f"{verb}:{number}")
        assert moved is None or sorted(moved, key=str) == sorted(rows, key=str)
    removed = label_rows.press_button(rows, f"remove:{number}")
    assert removed is None or len(removed) == max(len(rows) - 1, 1)


def test_it_says_at_the_row_what_is_wrong(client: Client, adam: User, retriever: Retriever) -> None:
    client.force_login(adam)
    page = post(
        client,
        retriever,
        value=["", "", "x"],
        title=["", "No value", ""],
        description=["", "", "mine"],
    )
    assert page.status_code == 422
    assert [bool(row.error) for row in page.context["form"].rows] == [False, True, False]
    assert "Enter a value." in page.content.decode()
    assert 'value="mine"' in page.content.decode()
    again = post(client, retriever, value=["x", "x", ""])
    assert "“x” is already label 1." in again.content.decode()
    assert not LabelSet.objects.exists()


def test_it_forgives_fields_that_are_missing_and_refuses_strange_colours(
    client: Client, adam: User, retriever: Retriever
) -> None:
    client.force_login(adam)
    page = post(client, retriever, value=["a", "b"], title=[], description=[], colour=["green"])
    assert page.status_code == 422
    assert "Choose one of the colours." in page.content.decode()


def test_it_is_for_admins(
    client: Client, alice: User, lena: User, adam: User, retriever: Retriever
) -> None:
    for person in (alice, lena):
        client.force_login(person)
        assert client.get(reverse("label_set", args=[retriever.pk])).status_code == 403
        assert post(client, retriever).status_code == 403
    client.force_login(adam)
    assert client.get(reverse("label_set", args=[retriever.pk + 1])).status_code == 404
    assert client.put(reverse("label_set", args=[retriever.pk])).status_code == 405
