"""Leases: who has an item open; nobody is offered it, but a lease forbids nothing."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, Lease
from reviewapp.annotations.queue import leases
from reviewapp.annotations.queue.claim_next import claim_next_annotation
from reviewapp.annotations.queue.filters import QueueFilter
from tests.collapsed import collapsed
from tests.decisions import post_decision
from tests.factories import make_annotation, make_lease, make_retriever
from tests.people import make_person

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def test_it_gives_a_free_item_for_ten_minutes(alice: User) -> None:
    given = leases.take_lease(make_annotation(), alice, now=NOW)
    assert (given.holder_id, given.until) == (alice.pk, NOW + timedelta(minutes=10))


def test_it_extends_ones_own(alice: User) -> None:
    annotation = make_annotation()
    leases.take_lease(annotation, alice, now=NOW)
    again = leases.take_lease(annotation, alice, now=NOW + timedelta(minutes=5))
    assert again.until == NOW + timedelta(minutes=15)
    assert Lease.objects.count() == 1


def test_it_leaves_what_somebody_else_holds(alice: User, bob: User) -> None:
    annotation = make_annotation()
    leases.take_lease(annotation, bob, now=NOW)
    assert leases.take_lease(annotation, alice, now=NOW + timedelta(minutes=9)).holder == bob


def test_it_gives_what_has_run_out(alice: User, bob: User) -> None:
    annotation = make_annotation()
    leases.take_lease(annotation, bob, now=NOW)
    assert leases.take_lease(annotation, alice, now=NOW + timedelta(minutes=10)).holder == alice


def test_it_is_only_let_go_by_its_holder(alice: User, bob: User) -> None:
    annotation = make_annotation()
    leases.take_lease(annotation, alice, now=NOW)
    assert not leases.release_lease(annotation.pk, bob)
    assert leases.release_lease(annotation.pk, alice)


@pytest.mark.django_db(transaction=True)
def test_it_gives_no_two_people_the_same_item() -> None:
    retriever = make_retriever()
    for _ in range(8):
        make_annotation(retriever)
    people = [make_person(f"p{number}", roles.REVIEWER) for number in range(8)]

    def claim(who: User) -> int | None:
        try:
            return claim_next_annotation(QueueFilter(), who, None, now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(claim, people))
    assert None not in given
    assert len(set(given)) == 8


def test_it_says_who_has_it_and_lets_others_read_and_decide(
    client: Client, alice: User, bob: User
) -> None:
    annotation = make_annotation()
    make_lease(annotation, bob)
    client.force_login(alice)
    page = client.get(reverse("review", args=[annotation.pk])).content.decode()
    assert "<strong>bob</strong> is working on this until" in page
    assert post_decision(client, annotation).status_code == 302
    assert Decision.objects.get().reviewer == alice


def test_it_takes_the_lease_when_the_page_is_opened(client: Client, alice: User) -> None:
    annotation = make_annotation()
    client.force_login(alice)
    client.get(reverse("review", args=[annotation.pk]))
    assert annotation.lease.holder == alice


def test_it_takes_none_for_what_is_gone(client: Client, alice: User) -> None:
    annotation = make_annotation(status="gone")
    client.force_login(alice)
    assert client.get(reverse("review", args=[annotation.pk])).status_code == 200
    assert not Lease.objects.exists()


def test_it_extends_on_request(client: Client, alice: User) -> None:
    annotation = make_annotation()
    old = make_lease(annotation, alice, seconds=30)
    client.force_login(alice)
    url = reverse("lease", args=[annotation.pk])
    assert (
        client.post(url + "?sort=newest").headers["Location"]
        == f"/annotations/{annotation.pk}?sort=newest"
    )
    fragment = client.post(url, headers={"HX-Request": "true"}).content.decode()
    assert fragment.strip().startswith('<span id="lease"')
    assert Lease.objects.get().until > old.until


def test_it_does_not_extend_what_somebody_else_took_meanwhile(
    client: Client, alice: User, bob: User
) -> None:
    annotation = make_annotation()
    make_lease(annotation, bob)
    client.force_login(alice)
    fragment = client.post(
        reverse("lease", args=[annotation.pk]), headers={"HX-Request": "true"}
    ).content.decode()
    assert "Open by <strong>bob</strong>" in fragment


def test_it_refuses_get_strangers_and_the_unknown(
    client: Client, alice: User, stranger: User
) -> None:
    url = reverse("lease", args=[make_annotation().pk])
    client.force_login(stranger)
    assert client.post(url).status_code == 403
    client.force_login(alice)
    assert client.get(url).status_code == 405
    assert client.post(reverse("lease", args=[987654321])).status_code == 404


def test_it_hands_out_the_next_item_and_lets_the_last_one_go(client: Client, alice: User) -> None:
    retriever = make_retriever()
    first, second = (
        make_annotation(retriever, confidence=0.1),
        make_annotation(retriever, confidence=0.2),
    )
    client.force_login(alice)
    assert client.get(reverse("next")).headers["Location"] == reverse("review", args=[first.pk])
    response = client.get(reverse("next"), {"after": first.pk})
    assert response.headers["Location"] == reverse("review", args=[second.pk])
    assert list(Lease.objects.values_list("annotation_id", flat=True)) == [second.pk]


def test_it_starts_again_from_the_top_at_the_end_of_the_list(client: Client, alice: User) -> None:
    retriever = make_retriever()
    first, second = (
        make_annotation(retriever, confidence=0.1),
        make_annotation(retriever, confidence=0.2),
    )
    client.force_login(alice)
    response = client.get(reverse("next"), {"after": second.pk})
    assert response.headers["Location"] == reverse("review", args=[first.pk])


def test_it_goes_back_in_the_list_as_it_is_filtered(client: Client, alice: User) -> None:
    retriever = make_retriever()
    first, second = (
        make_annotation(retriever, confidence=0.1),
        make_annotation(retriever, confidence=0.2),
    )
    make_annotation(retriever, confidence=0.15, label="other")
    client.force_login(alice)
    url = reverse("next") + "?label=logo&before="
    assert (
        client.get(f"{url}{second.pk}").headers["Location"] == f"/annotations/{first.pk}?label=logo"
    )
    assert (
        client.get(f"{url}{first.pk}").headers["Location"] == f"/annotations/{first.pk}?label=logo"
    )


def test_it_shows_the_queue_when_nothing_is_left_to_hand_out(
    client: Client, alice: User, bob: User
) -> None:
    make_lease(make_annotation(), bob)
    client.force_login(alice)
    response = client.get(reverse("next"), {"label": "logo", "after": "nonsense"}, follow=True)
    assert response.redirect_chain[-1][0] == "/annotations?label=logo"
    page = collapsed(response)
    told = re.search(
        "All waiting items are open by other reviewers. First one free in (.*?)<", page
    )
    assert told
    assert re.fullmatch(r"\d+ minutes?\.", told[1])


def test_it_hands_out_nothing_to_somebody_without_a_role(client: Client, stranger: User) -> None:
    make_annotation()
    client.force_login(stranger)
    assert client.get(reverse("next")).status_code == 403
    assert Annotation.objects.filter(lease=None).exists()
