"""What changes somebody's access asks *Is it you?*, and then carries out what was submitted."""

from __future__ import annotations

import time

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.test import Client

from reviewapp.accounts import roles
from reviewapp.accounts.models import Link, User
from reviewapp.audit.models import Event
from tests.collapsed import collapsed
from tests.people import PASSWORD, make_person, sign_in_with_password

DEEDS = {
    "role": "role.given",
    "deactivate": "person.deactivated",
    "reactivate": "person.reactivated",
    "remove-factors": "factor.removed",
    "password-link": "password_link.made",
}


@pytest.fixture
def ada_client(quick_hashing: None) -> Client:
    """A client in which Ada, an admin with a password, has just signed in."""
    make_person("ada", roles.ADMIN, password=make_password(PASSWORD))
    client = Client()
    sign_in_with_password(client, "ada")
    return client


@pytest.fixture
def old_client(adam_client: Client) -> Client:
    """A client in which Adam, who has no password, signed in an hour ago."""
    session = adam_client.session
    session["began"] = int(time.time()) - 3600
    session.save()
    return adam_client


def prepare(person: User, deed: str) -> None:
    """Make the deed change something."""
    if deed == "reactivate":
        User.people.filter(pk=person.pk).update(is_active=False)
    if deed == "remove-factors":
        Authenticator.objects.create(user=person, type="totp", data={})


def has_happened(action: str) -> bool:
    return Event.objects.filter(action=action, ref="people/bob").exists()


@pytest.mark.parametrize(("deed", "action"), DEEDS.items())
def test_it_asks_for_the_password_and_then_does_it(
    ada_client: Client, bob: User, deed: str, action: str
) -> None:
    prepare(bob, deed)
    path = f"/people/{bob.pk}/{deed}"
    words = {"role": roles.LEAD}
    before = Event.objects.filter(action=action, ref="people/bob").count()

    asked = ada_client.post(path, words)
    assert asked["Location"].startswith("/accounts/reauthenticate/?next=")
    refused = ada_client.post("/accounts/reauthenticate/", {"password": "wrong", "next": path})
    assert refused.status_code == 422
    assert Event.objects.filter(action=action, ref="people/bob").count() == before

    ada_client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": path})

    event = Event.objects.filter(action=action, ref="people/bob").latest("id")
    assert event.actor_name == "ada"
    if deed == "role":
        assert roles.role_of(bob) == roles.LEAD


def test_it_asks_once_in_a_few_minutes(ada_client: Client, bob: User) -> None:
    path = f"/people/{bob.pk}/role"
    ada_client.post(path, {"role": roles.LEAD})
    ada_client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": path})

    done = ada_client.post(f"/people/{bob.pk}/deactivate")

    assert done["Location"] == f"/people/{bob.pk}"
    assert has_happened("person.deactivated")


def test_it_leads_to_the_person_if_the_submission_is_lost(ada_client: Client, bob: User) -> None:
    path = f"/people/{bob.pk}/deactivate"

    answer = ada_client.post(
        "/accounts/reauthenticate/", {"password": PASSWORD, "next": path}, follow=True
    )

    assert answer.redirect_chain[-1][0] == f"/people/{bob.pk}"
    assert not has_happened("person.deactivated")


@pytest.mark.parametrize(("deed", "action"), DEEDS.items())
def test_it_wants_a_new_sign_in_of_somebody_who_has_no_password(
    old_client: Client, bob: User, deed: str, action: str
) -> None:
    prepare(bob, deed)
    before = Event.objects.count()

    refused = old_client.post(f"/people/{bob.pk}/{deed}", {"role": roles.LEAD}, follow=True)

    assert "This needs a recent sign-in" in collapsed(refused)
    assert Event.objects.count() == before


def test_it_keeps_the_chosen_role(old_client: Client, bob: User) -> None:
    refused = old_client.post(f"/people/{bob.pk}/role", {"role": roles.LEAD})

    assert refused.status_code == 403
    assert 'value="lead" checked' in collapsed(refused)
    assert roles.role_of(bob) == roles.REVIEWER


def test_it_keeps_a_typed_invitation(old_client: Client) -> None:
    words = {"email": "nina@example.com", "role": roles.LEAD}

    refused = old_client.post("/people/invite", words)

    page = collapsed(refused)
    assert refused.status_code == 403
    assert "what you typed is still here" in page
    assert 'value="nina@example.com"' in page
    assert 'value="lead" checked' in page
    assert not Link.objects.exists()


def test_it_keeps_a_typed_token(old_client: Client) -> None:
    words = {"name": "nightly relabelling", "scope": "decide", "days": "17"}

    page = collapsed(old_client.post("/tokens", words))

    assert 'value="nightly relabelling"' in page
    assert 'value="decide" checked' in page
    assert 'value="17"' in page
    assert "what you typed is still here" in page
