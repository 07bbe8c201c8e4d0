"""A session that ended in the middle of a form: what was typed waits behind the sign-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from markupsafe import escape

from reviewapp.accounts.models import User
from reviewapp.annotations.drafts.session_rescue import MAX_BYTES
from reviewapp.annotations.models import Decision
from tests.decisions import filled_form, post_decision
from tests.factories import make_annotation
from tests.people import signed_in

pytestmark = pytest.mark.django_db

TYPED = "Half a page of thoughts & more."


@pytest.fixture(autouse=True)
def nothing_counted(db: None) -> None:
    cache.clear()


def end_session_of(person: User) -> Client:
    """Return a browser in which this person used a page, and whose session has ended since."""
    browser = signed_in(person)
    browser.get(reverse("preferences"))
    Session.objects.filter(session_key=browser.session.session_key).delete()
    return browser


@pytest.fixture
def client(alice: User) -> Client:
    """Alice's browser, whose session has just ended."""
    return end_session_of(alice)


def test_it_brings_back_what_was_typed_after_signing_in(client: Client, alice: User) -> None:
    annotation = make_annotation()
    url = reverse("decide", args=[annotation.pk]) + "?sort=newest"
    response = client.post(url, filled_form(annotation, reasoning=TYPED, label="mine", choice=""))
    review = f"/annotations/{annotation.pk}"
    assert response.headers["Location"] == f"/accounts/login/?next={review}%3Fsort%3Dnewest"
    client.force_login(alice)
    page = client.get(review).content.decode()
    assert "You were signed out before this could be saved." in page
    assert escape(TYPED) in page
    assert 'value="mine"' in page
    assert not Decision.objects.exists()


def test_it_brings_it_back_once(client: Client, alice: User) -> None:
    annotation = make_annotation()
    post_decision(client, annotation, reasoning=TYPED)
    client.force_login(alice)
    review = reverse("review", args=[annotation.pk])
    client.get(review)
    assert escape(TYPED) not in client.get(review).content.decode()


def test_it_brings_nothing_to_another_item(client: Client, alice: User) -> None:
    annotation, other = make_annotation(), make_annotation()
    post_decision(client, annotation, reasoning=TYPED)
    client.force_login(alice)
    assert escape(TYPED) not in client.get(reverse("review", args=[other.pk])).content.decode()


def test_it_forgets_after_an_hour(client: Client, alice: User) -> None:
    annotation = make_annotation()
    post_decision(client, annotation, reasoning=TYPED)
    session = client.session
    session["kept_decision"] |= {"at": (timezone.now() - timedelta(minutes=61)).isoformat()}
    session.save()
    client.force_login(alice)
    assert escape(TYPED) not in client.get(reverse("review", args=[annotation.pk])).content.decode()


def test_it_still_notices_that_somebody_was_faster(client: Client, alice: User, bob: User) -> None:
    annotation = make_annotation(label="logo")
    post_decision(client, annotation, label="mine")
    post_decision(signed_in(bob), annotation, label="theirs")
    client.force_login(alice)
    data = client.get(reverse("review", args=[annotation.pk])).context["data"]
    data = {name: "" if value is None else value for name, value in data.items()}
    assert client.post(reverse("decide", args=[annotation.pk]), data).status_code == 409


@pytest.mark.parametrize("door", ["decide", "skip", "defer", "resume", "lease"])
def test_it_leaves_the_page_alone_when_htmx_asks(client: Client, door: str) -> None:
    url = reverse(door, args=[make_annotation().pk])
    assert client.post(url, {}, headers={"HX-Request": "true"}).status_code == 401


@pytest.mark.parametrize("door", ["skip", "defer", "resume", "lease"])
def test_it_leads_back_to_the_item_from_every_door(client: Client, door: str) -> None:
    annotation = make_annotation()
    response = client.post(reverse(door, args=[annotation.pk]))
    assert response.headers["Location"] == f"/accounts/login/?next=/annotations/{annotation.pk}"


@pytest.mark.parametrize("door", ["decide", "skip", "defer", "resume", "lease"])
def test_it_stores_nothing_for_a_stranger(door: str) -> None:
    annotation = make_annotation()
    typed = filled_form(annotation, reasoning="x" * 900_000)
    answer = Client().post(reverse(door, args=[annotation.pk]), typed)
    assert answer.headers["Location"] == f"/accounts/login/?next=/annotations/{annotation.pk}"
    assert not Session.objects.exists()


def test_it_stores_nothing_for_a_forged_proof(client: Client, alice: User) -> None:
    forger = Client()
    forger.cookies[settings.SESSION_PROOF_COOKIE_NAME] = (
        client.cookies[settings.SESSION_PROOF_COOKIE_NAME].value.replace(str(alice.pk), "1", 1)
        + "x"
    )
    post_decision(forger, make_annotation(), reasoning=TYPED)
    assert not Session.objects.exists()


def test_it_stores_nothing_for_somebody_who_was_deactivated(client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    post_decision(client, make_annotation(), reasoning=TYPED)
    assert not Session.objects.exists()


def test_it_stores_no_more_than_a_form_can_hold(client: Client) -> None:
    annotation = make_annotation()
    assert post_decision(client, annotation, reasoning="é" * (MAX_BYTES // 2)).status_code == 413
    assert not Session.objects.exists()
    assert post_decision(client, annotation, reasoning="x" * (MAX_BYTES - 5_000)).status_code == 302
    assert Session.objects.count() == 1


def test_it_stores_twenty_forms_of_a_person_in_an_hour(client: Client, bob: User) -> None:
    annotation = make_annotation()
    proof = client.cookies[settings.SESSION_PROOF_COOKIE_NAME].value
    for _ in range(20):
        another = Client()
        another.cookies[settings.SESSION_PROOF_COOKIE_NAME] = proof
        assert post_decision(another, annotation, reasoning=TYPED).status_code == 302
    refused = post_decision(client, annotation, reasoning=TYPED)
    assert refused.status_code == 429
    assert "what you typed is still there" in refused.content.decode()
    assert Session.objects.count() == 20
    assert post_decision(end_session_of(bob), annotation, reasoning=TYPED).status_code == 302


def test_it_lets_what_waits_end_after_an_hour(client: Client) -> None:
    post_decision(client, make_annotation(), reasoning=TYPED)
    session = Session.objects.get()
    assert session.expire_date - timezone.now() < timedelta(minutes=61)


def test_it_keeps_what_was_typed_when_its_person_signs_out_in_another_tab(alice: User) -> None:
    annotation = make_annotation()
    browser = signed_in(alice)
    browser.get(reverse("review", args=[annotation.pk]))
    browser.post(reverse("account_logout"))
    post_decision(browser, annotation, reasoning=TYPED)
    browser.force_login(alice)
    assert escape(TYPED) in browser.get(reverse("review", args=[annotation.pk])).content.decode()


def test_it_gives_what_one_person_typed_to_nobody_else(client: Client, bob: User) -> None:
    annotation = make_annotation()
    post_decision(client, annotation, reasoning=TYPED)
    client.force_login(bob)
    assert escape(TYPED) not in client.get(reverse("review", args=[annotation.pk])).content.decode()
