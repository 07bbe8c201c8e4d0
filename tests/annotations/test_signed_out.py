"""A session that ended in the middle of a form: what was typed waits behind the sign-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Decision
from tests.decisions import filled_form, post_decision
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db

TYPED = "Half a page of thoughts & more."


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
    stranger = Client()
    post_decision(stranger, annotation, label="mine")
    client.force_login(bob)
    post_decision(client, annotation, label="theirs")
    stranger.force_login(alice)
    data = stranger.get(reverse("review", args=[annotation.pk])).context["data"]
    data = {name: "" if value is None else value for name, value in data.items()}
    assert stranger.post(reverse("decide", args=[annotation.pk]), data).status_code == 409


@pytest.mark.parametrize("door", ["decide", "skip", "defer", "resume", "lease"])
def test_it_leaves_the_page_alone_when_htmx_asks(client: Client, door: str) -> None:
    url = reverse(door, args=[make_annotation().pk])
    assert client.post(url, {}, headers={"HX-Request": "true"}).status_code == 401


@pytest.mark.parametrize("door", ["skip", "defer", "resume", "lease"])
def test_it_leads_back_to_the_item_from_every_door(client: Client, door: str) -> None:
    annotation = make_annotation()
    response = client.post(reverse(door, args=[annotation.pk]))
    assert response.headers["Location"] == f"/accounts/login/?next=/annotations/{annotation.pk}"
