"""A person who is deactivated while at work is told so, in their own browser only."""

from __future__ import annotations

import pytest
from django.test import Client

from reviewapp.accounts import services
from reviewapp.accounts.models import User
from tests.collapsed import collapsed
from tests.people import sign_in_with_password

pytestmark = pytest.mark.django_db

TOLD = "Your account was deactivated. Ask an admin to reactivate it. Your unsent work is still in this browser."
FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def shut_out(client: Client, alice: User, adam: User) -> Client:
    client.force_login(alice)
    services.deactivate(alice, actor=adam)
    return client


def test_it_tells_the_browser_of_the_session_whatever_it_asks(shut_out: Client) -> None:
    for _ in range(2):
        answer = shut_out.get("/preferences", headers=FRAGMENT)
        assert (answer.status_code, answer.content.decode()) == (401, TOLD)
        assert shut_out.get("/accounts/who").json() == {"person": None, "name": "", "refused": TOLD}
        assert TOLD in collapsed(shut_out.get("/accounts/login/"))


def test_it_tells_nobody_else(shut_out: Client, bob: User) -> None:
    stranger, colleague = Client(), Client()
    colleague.force_login(bob)
    assert stranger.get("/accounts/who").json()["refused"] == ""
    assert (
        stranger.get("/preferences", headers=FRAGMENT)
        .content.decode()
        .startswith("You are signed out.")
    )
    assert colleague.get("/accounts/who").json() == {"person": bob.pk, "name": "bob", "refused": ""}


def test_it_tells_it_no_more_to_whoever_signs_in_after(shut_out: Client, bob: User) -> None:
    shut_out.force_login(bob)
    assert shut_out.get("/accounts/who").json()["person"] == bob.pk
    shut_out.post("/accounts/logout/")
    assert shut_out.get("/accounts/who").json()["refused"] == ""


def test_it_asks_to_sign_in_again_once_the_person_is_back(
    client: Client, carol: User, adam: User
) -> None:
    sign_in_with_password(client)
    services.deactivate(carol, actor=adam)
    assert client.get("/accounts/who").json()["refused"] == TOLD
    assert services.reactivate(carol, actor=adam)
    assert client.get("/accounts/who").json() == {"person": None, "name": "", "refused": ""}
    assert (
        client.get("/preferences", headers=FRAGMENT)
        .content.decode()
        .startswith("You are signed out.")
    )


def test_it_leaves_the_sessions_of_somebody_active_alone(
    client: Client, alice: User, adam: User
) -> None:
    client.force_login(alice)
    assert not services.reactivate(alice, actor=adam)
    assert client.get("/preferences").status_code == 200
