"""What opens after a decision: the next waiting item of the list, else the list itself."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from tests.decisions import decide, filled_form
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db


@pytest.fixture
def decided(alice: User) -> list[Annotation]:
    """Two items that Alice has decided, while a third waits."""
    items = [make_annotation(), make_annotation()]
    for item in items:
        decide(item, alice, label="van")
        item.refresh_from_db()
    make_annotation()
    return items


def correct(client: Client, item: Annotation, query: str) -> str:
    """Decide an item again from a list, and return where that leads."""
    form = filled_form(item, label="bus", new_label="bus")
    response = client.post(f"{reverse('decide', args=[item.pk])}{query}", form)
    assert Decision.objects.filter(label="bus").count() == 1
    return str(response["Location"])


@pytest.mark.parametrize(
    "query",
    ["?show=mine", "?show=decided", "?show=all&status=decided", "?show=mine&sort=oldest"],
)
def test_it_shows_the_list_again_where_all_that_is_left_is_decided(
    decided: list[Annotation], alice_client: Client, query: str
) -> None:
    location = correct(alice_client, decided[1], query)
    assert location.startswith(f"{reverse('queue')}?")
    page = alice_client.get(location).content.decode()
    assert "held by others" not in page


@pytest.mark.parametrize("query", ["", "?show=all", "?show=waiting"])
def test_it_goes_on_to_an_item_that_waits(
    decided: list[Annotation], alice_client: Client, query: str
) -> None:
    waiting = Annotation.objects.get(status="waiting")
    location = correct(alice_client, decided[1], query)
    assert location.partition("?")[0] == reverse("review", args=[waiting.pk])


def test_it_still_walks_through_decided_items(
    decided: list[Annotation], alice_client: Client
) -> None:
    first, second = decided
    walk = alice_client.get(f"{reverse('next')}?show=mine&sort=oldest&after={first.pk}")
    assert walk["Location"].partition("?")[0] == reverse("review", args=[second.pk])
