"""Reloading the page that shows a link keeps the link valid and sends no second mail."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from reviewapp.accounts import roles
from reviewapp.accounts.models import Link, User
from reviewapp.accounts.people import invitations

LINK = re.compile(r"http://testserver(/(?:join|new-password)/[\w-]{43})")


@pytest.fixture(params=["invitation", "password"])
def form(
    request: pytest.FixtureRequest, adam_client: Client, alice: User
) -> tuple[str, dict[str, str]]:
    """Where a form that makes a link goes to, and what it sends."""
    invites = request.param == "invitation"
    page = "/people/invite" if invites else f"/people/{alice.pk}"
    match = re.search(r'name="form_id" value="([\w-]{36})"', adam_client.get(page).content.decode())
    assert match
    sent = {"form_id": match[1]} | (
        {"email": "nina@example.com", "role": roles.LEAD} if invites else {}
    )
    return (page if invites else f"{page}/password-link"), sent


def test_it_shows_the_same_link_when_loaded_again(
    adam_client: Client, form: tuple[str, dict[str, str]], settings: Settings
) -> None:
    settings.EMAIL_HOST = "mail.example"
    first, again = (adam_client.post(*form).content.decode() for _ in range(2))
    assert LINK.findall(first) == LINK.findall(again)
    assert "No other link was created" in again
    assert len(mail.outbox) == 1
    assert Link.objects.get().withdrawn_at is None
    assert Client().get(LINK.findall(first)[0]).status_code == 200


@pytest.mark.parametrize("field", ["used_at", "withdrawn_at", "made_at"])
def test_it_makes_and_shows_nothing_once_the_link_is_spent_or_old(
    adam_client: Client, form: tuple[str, dict[str, str]], field: str
) -> None:
    adam_client.post(*form)
    Link.objects.update(**{field: timezone.now() - timedelta(minutes=11)})
    again = adam_client.post(*form)
    assert again.status_code == 409
    assert "which is shown only once. No other link was created." in again.content.decode()
    assert not LINK.search(again.content.decode())
    assert Link.objects.count() == 1


def test_it_replaces_the_link_when_asked_anew(
    adam_client: Client, form: tuple[str, dict[str, str]]
) -> None:
    address, sent = form
    first = LINK.findall(adam_client.post(address, sent).content.decode())
    second = LINK.findall(
        adam_client.post(address, sent | {"form_id": str(uuid.uuid4())}).content.decode()
    )
    assert first != second
    assert [Client().get(link).status_code for link in (*first, *second)] == [404, 200]


def test_it_refuses_a_damaged_id(adam_client: Client, form: tuple[str, dict[str, str]]) -> None:
    address, sent = form
    reply = adam_client.post(address, sent | {"form_id": "x"})
    assert reply.status_code == 422
    assert "This form is damaged" in reply.content.decode()
    assert not Link.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_it_makes_one_of_a_double_click(adam: User) -> None:
    form_id, together = uuid.uuid4(), Barrier(2)

    def click() -> str:
        try:
            together.wait(60)
            return invitations.invite(
                email="nina@example.com", role=roles.LEAD, actor=adam, form_id=form_id
            )[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        secrets = [clicked.result() for clicked in [pool.submit(click), pool.submit(click)]]
    assert len(set(secrets)) == 1
    assert Link.objects.get().withdrawn_at is None
