"""An open page learns with its next poll what needs a person, and its reader what of theirs does."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.health import delivery_health
from tests.decisions import queue_decision
from tests.factories import make_annotation, settle_as_conflict
from tests.people import signed_in

pytestmark = pytest.mark.django_db
TOAST = 'id="attention_toast"'


@pytest.fixture
def item(db: None) -> Annotation:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (clock_timestamp())"
        )
    return make_annotation(label="van", title="A van on a bridge")


def poll(client: Client, person: User, *, shown: str) -> Any:
    told = {"X-Standing": delivery_health(person).banner_state, "X-Attention": shown}
    return client.get(reverse("page_updates"), headers={"HX-Request": "true", **told})


def end_in_conflict(change: Change) -> None:
    theirs = {"label": "bus"}
    settle_as_conflict(change, theirs=theirs, reason="The label was changed at Mixpeek")


def test_it_counts_without_a_page_load(
    alice: User, alice_client: Client, bob: User, item: Annotation
) -> None:
    before = delivery_health(alice).attention_state
    assert poll(alice_client, alice, shown=before).status_code == 204

    change = queue_decision(item, bob, label="car")
    end_in_conflict(change)
    page = poll(alice_client, alice, shown=before)
    assert page.headers["HX-Reswap"] == "none"
    assert 'id="attention_count" data-told="1"' in page.content.decode()
    assert 'hx-swap-oob="true"' in page.content.decode()
    # Somebody else's is no news that should interrupt.
    assert TOAST not in page.content.decode()
    assert poll(alice_client, alice, shown="1").status_code == 204

    Change.objects.filter(pk=change.pk).update(state="withdrawn")
    page = poll(alice_client, alice, shown="1")
    assert 'id="attention_count" data-told="0"' in page.content.decode()


def test_it_tells_each_of_ones_own_once(
    alice: User, alice_client: Client, item: Annotation
) -> None:
    end_in_conflict(queue_decision(item, alice, label="car"))
    page = poll(alice_client, alice, shown="0").content.decode()
    assert TOAST in page
    assert "A van on a bridge" in page
    assert "The label was changed at Mixpeek." in page
    assert reverse("attention") in page

    shown = delivery_health(alice).attention_state
    assert poll(alice_client, alice, shown=shown).status_code == 204
    other = make_annotation(label="van", title="A second van")
    end_in_conflict(queue_decision(other, alice, label="car"))
    page = poll(alice_client, alice, shown=shown).content.decode()
    assert "A second van" in page
    assert "A van on a bridge" not in page


def test_it_does_not_tell_again_when_one_of_two_is_handled(
    alice: User, alice_client: Client, item: Annotation
) -> None:
    end_in_conflict(queue_decision(item, alice, label="car"))
    last = queue_decision(make_annotation(label="van"), alice, label="car")
    end_in_conflict(last)
    shown = delivery_health(alice).attention_state
    Change.objects.filter(pk=last.pk).update(state="withdrawn")
    page = poll(alice_client, alice, shown=shown).content.decode()
    assert "attention_count" in page
    assert TOAST not in page


@pytest.mark.parametrize("shown", ["", "x", "1 x", "1 nan", "9" * 400])
def test_it_survives_a_page_that_says_nonsense(
    alice: User, alice_client: Client, item: Annotation, shown: str
) -> None:
    end_in_conflict(queue_decision(item, alice, label="car"))
    assert "attention_count" in poll(alice_client, alice, shown=shown).content.decode()


def test_my_last_decisions_show_it(alice: User, item: Annotation) -> None:
    client = signed_in(alice)
    change = queue_decision(item, alice, label="car")
    address = reverse("recent_decisions")
    before = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "Conflict" not in before

    end_in_conflict(change)
    other = make_annotation()
    for page in (
        client.get(address, headers={"HX-Request": "true"}).content.decode(),
        client.get(reverse("review", args=[other.pk])).content.decode(),
    ):
        assert "Conflict</span>" in page
        assert f'{reverse("review", args=[item.pk])}?change={change.pk}"' in page

    Change.objects.filter(pk=change.pk).update(state="refused", settled_at=timezone.now())
    after = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "Refused</span>" in after


def test_the_list_is_part_of_a_page_only(alice_client: Client) -> None:
    response = alice_client.get(reverse("recent_decisions"))
    assert response.status_code == 302
    assert response.headers["Location"] == reverse("queue")
