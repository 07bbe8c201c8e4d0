"""Tokens: made by page or command, shown once, stored as a digest, revocable, in the history."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.api import tokens
from reviewapp.api.models import ApiToken
from reviewapp.audit.models import Event
from tests.api.conftest import Caller
from tests.people import signed_in

GOOD = {"name": "nightly", "scope": "decide", "days": "30"}
SECRET = re.compile(r"rvw_[\w-]{43}")


def secret_on_page(client: Client, **fields: str) -> str:
    """Return the secret that the page shows for a new token."""
    reply = client.post("/tokens", GOOD | fields)
    assert reply.status_code == 200, reply.content.decode()
    assert "no-store" in reply["Cache-Control"]
    return str(SECRET.findall(reply.content.decode())[0])


def test_it_makes_a_token_and_shows_it_once(client: Client, alice: User) -> None:
    client.force_login(alice)
    secret = secret_on_page(client)
    assert Caller(secret)("POST", "/v1/annotations/list").status_code == 200
    page = client.get("/tokens").content.decode()
    assert secret not in page
    assert secret[:12] in page
    token = ApiToken.objects.get()
    assert secret not in str(token.__dict__)
    assert (token.owner, token.scope, token.name) == (alice, "decide", "nightly")


def test_it_tells_the_history_but_not_the_secret(client: Client, alice: User) -> None:
    client.force_login(alice)
    secret_on_page(client)
    token = ApiToken.objects.get()
    client.post(f"/tokens/{token.pk}/revoke")
    events = list(Event.objects.filter(ref=f"tokens/{token.pk}").order_by("id"))
    assert [event.action for event in events] == ["token.created", "token.revoked"]
    assert {event.actor_name for event in events} == {"alice"}
    assert not any(token.digest in str(event.changes) for event in events)


def test_it_revokes_at_once_and_only_ones_own(client: Client, alice: User, bob: User) -> None:
    client.force_login(alice)
    secret = secret_on_page(client)
    pk = ApiToken.objects.get().pk
    other = signed_in(bob)
    assert other.post(f"/tokens/{pk}/revoke").status_code == 404
    markup = client.get(f"/tokens/{pk}/revoke").content.decode()
    assert "Revoke “nightly”?" in markup
    assert "for good" in markup
    assert other.get(f"/tokens/{pk}/revoke").status_code == 404
    assert Caller(secret)("POST", "/v1/annotations/list").status_code == 200
    assert client.post(f"/tokens/{pk}/revoke").status_code == 302
    assert Caller(secret)("POST", "/v1/annotations/list").status_code == 401
    assert "Revoked" in client.get("/tokens").content.decode()
    assert "was already revoked" in client.get(f"/tokens/{pk}/revoke", follow=True).content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"name": "x" * 101},
        {"scope": "root"},
        {"days": "0"},
        {"days": "366"},
        {"days": "soon"},
    ],
)
def test_it_refuses_a_token_that_cannot_be(
    client: Client, alice: User, wrong: dict[str, str]
) -> None:
    client.force_login(alice)
    reply = client.post("/tokens", GOOD | wrong)
    assert reply.status_code == 422
    assert not ApiToken.objects.exists()


def test_it_loads_every_field_of_a_token(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    token, secret = tokens.create_token(alice, name="nightly", scope="read", actor=alice)
    ApiToken.objects.update(last_used_at=timezone.now())
    stored = ApiToken.objects.filter(pk=token.pk).values().get()

    loaded = tokens.authenticate(secret)
    with django_assert_max_num_queries(0):
        assert {name: getattr(loaded, name) for name in stored} == stored
    assert loaded is not None
    assert loaded.owner == alice


def test_it_is_for_people_with_a_role(client: Client, stranger: User) -> None:
    client.force_login(stranger)
    assert client.get("/tokens").status_code == 403
    assert client.post("/tokens", GOOD).status_code == 403


def test_it_makes_one_from_the_command_line(alice: User) -> None:
    out, errors = StringIO(), StringIO()
    call_command("create_token", "alice", scope="read", days=30, stdout=out, stderr=errors)
    secret = out.getvalue().strip()
    assert SECRET.fullmatch(secret)
    assert secret not in errors.getvalue()
    assert Caller(secret)("POST", "/v1/annotations/list").status_code == 200
    assert Event.objects.get(action="token.created").origin == "shell"


@pytest.mark.parametrize(("name", "days"), [("nobody", 30), ("alice", 0), ("alice", 1000)])
def test_it_refuses_on_the_command_line_too(alice: User, name: str, days: int) -> None:
    with pytest.raises(CommandError):
        call_command("create_token", name, days=days)


def test_it_lets_an_admin_revoke_somebody_elses(
    client: Client, alice: User, bob: User, adam: User
) -> None:
    token, _ = tokens.create_token(alice, name="weekly-export", scope="read", actor=None)
    address = f"/tokens/{token.pk}/revoke"
    client.force_login(bob)
    assert client.post(address).status_code == 404
    assert "weekly-export" not in client.get("/tokens", {"person": alice.pk}).content.decode()
    client.force_login(adam)
    page = client.get("/tokens", {"person": alice.pk}).content.decode()
    assert "API tokens of alice" in page
    assert "weekly-export" in page
    assert client.post(address)["Location"] == f"/tokens?person={alice.pk}"
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert Event.objects.get(action="token.revoked").actor_name == "adam"
    assert client.get("/tokens", {"person": 999_999}).status_code == 404
    with pytest.raises(PermissionDenied):
        tokens.revoke(token, actor=bob)
