"""The item that a page loads ahead: leased, held from nobody who needs it, and given back."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, Lease, SetAside
from reviewapp.annotations.queue.claim_next import claim_next_annotation
from reviewapp.annotations.queue.filters import QueueFilter
from reviewapp.annotations.queue.querysets import explain_empty_queue
from tests.decisions import filled_form
from tests.factories import make_annotation, make_lease, make_set_aside
from tests.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(db: None) -> list[Annotation]:
    """Three waiting items in the queue's order."""
    return [make_annotation(confidence=0.1 * number) for number in (1, 2, 3)]


def prefetch(client: Client, after: object, **more: Any) -> Any:
    """Request the item behind `after` as the page does."""
    query = {"after": after, **more}
    return client.get(reverse("ahead"), query, headers={"HX-Request": "true"})


def claim(person: User, after: Annotation | None = None) -> int | None:
    return claim_next_annotation(QueueFilter(), person, after, now=timezone.now())


def test_it_renders_the_next_item_and_leases_it(
    alice: User, alice_client: Client, three: list[Annotation]
) -> None:
    response = prefetch(alice_client, three[0].pk)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert f'data-item="{three[1].pk}"' in response.content.decode()
    assert not response.has_header("HX-Push-Url")
    lease = Lease.objects.get()
    assert (lease.annotation, lease.holder, lease.is_prefetched) == (three[1], alice, True)


def test_it_passes_over_what_is_held_set_aside_or_on_its_way(
    alice: User, bob: User, alice_client: Client
) -> None:
    first, held, aside, sent, free = [make_annotation(confidence=0.1 * n) for n in range(1, 6)]
    make_lease(held, bob)
    make_set_aside(aside, alice)
    response = prefetch(alice_client, first.pk, **{"except": [sent.pk]})
    assert f'data-item="{free.pk}"' in response.content.decode()


def test_it_answers_nothing_at_the_end_and_in_lists_of_decided_items(
    alice_client: Client, three: list[Annotation]
) -> None:
    except_both = {"except": [three[1].pk, three[2].pk]}
    assert prefetch(alice_client, three[0].pk, **except_both).status_code == 204
    for after in (10**9, "x", ""):
        assert prefetch(alice_client, after).status_code == 204
    assert prefetch(alice_client, three[0].pk, show="decided").status_code == 204
    assert not Lease.objects.exists()


def test_it_uses_up_no_message(alice_client: Client, three: list[Annotation]) -> None:
    alice_client.post(reverse("skip", args=[three[0].pk]))
    assert "Skipped" not in prefetch(alice_client, three[1].pk).content.decode()
    page = alice_client.get(reverse("review", args=[three[1].pk])).content.decode()
    assert "Skipped. It stays in the queue for others." in page


def test_others_are_given_it_when_nothing_else_is_left(
    alice: User, bob: User, alice_client: Client, three: list[Annotation]
) -> None:
    prefetch(alice_client, three[0].pk)
    make_lease(three[0], alice)
    assert claim(bob) == three[2].pk
    assert claim(bob, three[2]) == three[1].pk
    lease = Lease.objects.get(annotation=three[1])
    assert (lease.holder, lease.is_prefetched) == (bob, False)


def test_it_is_not_said_to_be_open(
    bob: User, alice_client: Client, three: list[Annotation]
) -> None:
    prefetch(alice_client, three[0].pk)
    assert explain_empty_queue(QueueFilter(), bob).held == 0
    queue = signed_in(bob).get(reverse("queue")).content.decode()
    assert "open by" not in queue
    signed_in(bob).get(reverse("review", args=[three[1].pk]))
    assert Lease.objects.get().holder == bob


def test_two_pages_load_two_items(bob: User, alice_client: Client, three: list[Annotation]) -> None:
    prefetch(alice_client, three[0].pk)
    response = prefetch(signed_in(bob), three[0].pk)
    assert f'data-item="{three[2].pk}"' in response.content.decode()


def test_what_is_open_in_another_tab_stays_open(
    alice: User, alice_client: Client, three: list[Annotation]
) -> None:
    make_lease(three[1], alice)
    prefetch(alice_client, three[0].pk)
    assert not Lease.objects.get().is_prefetched


def test_it_is_given_back_only_while_it_is_not_open(
    alice_client: Client, three: list[Annotation]
) -> None:
    url = reverse("release", args=[three[1].pk])
    prefetch(alice_client, three[0].pk)
    assert alice_client.post(url).status_code == 204
    assert not Lease.objects.exists()
    assert alice_client.get(url).status_code == 405
    alice_client.get(reverse("review", args=[three[1].pk]))
    alice_client.post(url)
    assert Lease.objects.count() == 1


def test_the_next_request_opens_one_gives_back_another_and_leaves_a_third(
    alice: User, alice_client: Client, three: list[Annotation]
) -> None:
    make_lease(three[0], alice)
    prefetch(alice_client, three[0].pk)
    other = make_annotation(confidence=0.9)
    prefetched = Lease.objects.create(
        annotation=other, holder=alice, until=timezone.now(), is_prefetched=True
    )
    prefetch(alice_client, three[1].pk, leaves=three[0].pk, release=prefetched.annotation_id)
    leases = Lease.objects.order_by("annotation_id").values_list("annotation_id", "is_prefetched")
    assert list(leases) == [(three[1].pk, False), (three[2].pk, True)]


def test_a_script_that_shows_the_next_item_gets_the_parts_of_its_page(
    alice: User, alice_client: Client, three: list[Annotation]
) -> None:
    prefetch(alice_client, three[0].pk)
    response = _submit(alice_client, three[0], three[1])
    body = response.json()
    assert (body["state"], body["said"], body["held_by"]) == ("saved", "Saved. 2 left.", "")
    parts = "".join(body["parts"])
    for part in ("progress", "undo", "recent_list", "lease"):
        assert f'id="{part}"' in parts
    assert Decision.objects.count() == 1
    lease = Lease.objects.get()
    assert (lease.annotation, lease.is_prefetched) == (three[1], False)


def test_it_says_who_else_has_opened_the_next_item(
    bob: User, alice_client: Client, three: list[Annotation]
) -> None:
    make_lease(three[1], bob)
    assert _submit(alice_client, three[0], three[1]).json()["held_by"] == "bob"


def test_a_script_that_shows_the_next_item_gets_the_form_that_was_refused(
    alice_client: Client, three: list[Annotation]
) -> None:
    response = _submit(alice_client, three[0], three[1], confidence="7", reasoning="Sure")
    body = response.json()
    assert response.status_code == 422
    assert body["state"] == "asks"
    assert 'aria-invalid="true"' in body["page"]
    assert "Sure" in body["page"]


def test_a_skip_of_a_script_answers_alike(
    alice: User, alice_client: Client, three: list[Annotation]
) -> None:
    headers = {"Accept": "application/json", "HX-Request": "true"}
    url = reverse("skip", args=[three[0].pk])
    body = alice_client.post(url, {"next": three[1].pk}, headers=headers).json()
    assert body["said"] == "Skipped. It stays in the queue for others."
    assert 'id="undo"' in "".join(body["parts"])
    assert SetAside.objects.get().annotation == three[0]


def _submit(client: Client, item: Annotation, shown: Annotation, **typed: str) -> Any:
    fields = filled_form(item, next=str(shown.pk), **typed)
    headers = {"Accept": "application/json", "HX-Request": "true"}
    return client.post(reverse("decide", args=[item.pk]), fields, headers=headers)
