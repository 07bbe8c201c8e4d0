"""Reloading the page that shows a token makes no second token and shows no secret."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.api import tokens
from reviewapp.api.models import ApiToken
from tests.api.conftest import Caller
from tests.people import PASSWORD, signed_in

GOOD = {"name": "nightly", "scope": "decide", "days": "30"}
SECRET = re.compile(r"rvw_[\w-]{43}")


def rendered(client: Client, address: str = "/tokens") -> str:
    """Return the id of the form that the page shows."""
    match = re.search(r'name="form_id" value="([\w-]{36})"', client.get(address).content.decode())
    assert match
    return match[1]


def test_it_shows_the_same_token_when_loaded_again(client: Client, alice: User) -> None:
    client.force_login(alice)
    sent = GOOD | {"form_id": rendered(client)}
    first, again = (client.post("/tokens", sent, follow=True).content.decode() for _ in range(2))
    assert SECRET.findall(first) == SECRET.findall(again)
    assert "Token created." in first
    assert "No other token was created" in again
    assert ApiToken.objects.count() == 1
    assert Caller(SECRET.findall(again)[0])("POST", "/v1/annotations/list").status_code == 200


def test_it_makes_another_for_another_form_other_words_or_another_person(
    client: Client, alice: User, bob: User
) -> None:
    client.force_login(alice)
    one, other = rendered(client), rendered(client)
    assert one != other
    for sent in ({"form_id": one}, {"form_id": other}, {"form_id": one, "name": "weekly"}):
        assert client.post("/tokens", GOOD | sent).status_code == 302
    client.force_login(bob)
    assert client.post("/tokens", GOOD | {"form_id": one}).status_code == 302
    assert len({token.digest for token in ApiToken.objects.all()}) == 4


@pytest.mark.parametrize(
    "later", [{"created_at": timedelta(minutes=11)}, {"revoked_at": timedelta(0)}]
)
def test_it_shows_no_secret_again_later_or_once_revoked(
    client: Client, alice: User, later: dict[str, timedelta]
) -> None:
    client.force_login(alice)
    sent = GOOD | {"form_id": rendered(client)}
    client.post("/tokens", sent)
    ApiToken.objects.update(**{name: timezone.now() - ago for name, ago in later.items()})
    again = client.post("/tokens", sent)
    assert again.status_code == 409
    assert "This form already created “nightly”, which is shown only once" in again.content.decode()
    assert not SECRET.search(again.content.decode())
    assert sent["form_id"] not in again.content.decode()
    assert ApiToken.objects.count() == 1


def test_it_shows_it_on_the_page_of_tokens_after_the_password(carol_client: Client) -> None:
    sent = GOOD | {"form_id": rendered(carol_client)}
    asked = carol_client.post("/tokens", sent)
    assert asked["Location"] == "/accounts/reauthenticate/?next=%2Ftokens"

    made = carol_client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/tokens"})

    assert made["Location"] == f"/tokens?made={ApiToken.objects.get().pk}"
    assert not SECRET.search(made.content.decode())
    shown, again = (carol_client.get(made["Location"]).content.decode() for _ in range(2))
    (secret,) = set(SECRET.findall(shown))
    assert "Token created." in shown
    assert "No other token was created" in again
    assert secret in again
    assert Caller(secret)("POST", "/v1/annotations/list").status_code == 200
    assert secret not in str(dict(carol_client.session.items()))
    assert not SECRET.search(carol_client.get("/tokens").content.decode())


@pytest.mark.parametrize(
    "later", [{"created_at": timedelta(minutes=11)}, {"revoked_at": timedelta(0)}]
)
def test_it_shows_it_to_nobody_else_and_not_for_long(
    client: Client, alice: User, bob: User, later: dict[str, timedelta]
) -> None:
    client.force_login(alice)
    made = client.post("/tokens", GOOD | {"form_id": rendered(client)})["Location"]
    assert SECRET.search(client.get(made).content.decode())
    assert not SECRET.search(signed_in(bob).get(made).content.decode())
    assert not SECRET.search(signed_in(alice).get(made).content.decode())

    ApiToken.objects.update(**{name: timezone.now() - ago for name, ago in later.items()})

    assert not SECRET.search(client.get(made).content.decode())


def test_it_refuses_a_damaged_id(client: Client, alice: User) -> None:
    client.force_login(alice)
    reply = client.post("/tokens", GOOD | {"form_id": "x"})
    assert reply.status_code == 422
    assert "This form is damaged" in reply.content.decode()
    assert not ApiToken.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_it_makes_one_of_a_double_click(alice: User) -> None:
    form_id, together = uuid.uuid4(), Barrier(2)

    def click() -> str:
        try:
            together.wait(60)
            return tokens.create_token(
                alice, name="nightly", scope="read", actor=alice, form_id=form_id
            )[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        secrets = [clicked.result() for clicked in [pool.submit(click), pool.submit(click)]]
    assert len(set(secrets)) == 1
    assert ApiToken.objects.count() == 1
