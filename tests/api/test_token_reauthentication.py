"""Tokens depend on their owner's sign-in: the password, the second factor, being active."""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core import mail
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from reviewapp.accounts import services
from reviewapp.accounts.models import User
from reviewapp.accounts.people import invitations
from reviewapp.accounts.tasks import mail_password_link
from reviewapp.api import tokens
from reviewapp.api.models import ApiToken
from reviewapp.audit.models import Event
from tests.accounts.totp import code
from tests.api.conftest import Caller
from tests.collapsed import collapsed
from tests.people import PASSWORD, make_person, signed_in

GOOD = {"name": "nightly", "scope": "decide", "days": "30"}
SECRET = re.compile(r"rvw_[\w-]{43}")
NEW_PASSWORD = "nine-blue-kettles"
TOTP_SECRET = "JBSWY3DPEHPK3PXP"

pytestmark = pytest.mark.django_db


def works(secret: str) -> bool:
    """Return whether the token lets a script in."""
    return bool(Caller(secret)("POST", "/v1/annotations/list").status_code == 200)


def make_token(owner: User) -> str:
    """Return the secret of a token, made without a page."""
    return tokens.create_token(owner, name="script", scope="admin", actor=None)[1]


def test_it_asks_for_the_password_and_then_makes_the_token(carol_client: Client) -> None:
    response = carol_client.post("/tokens", GOOD)
    assert response["Location"] == "/accounts/reauthenticate/?next=%2Ftokens"
    assert not ApiToken.objects.exists()
    refused = carol_client.post(
        "/accounts/reauthenticate/", {"password": "wrong", "next": "/tokens"}
    )
    assert refused.status_code == 422
    assert not ApiToken.objects.exists()

    reply = carol_client.post(
        "/accounts/reauthenticate/", {"password": PASSWORD, "next": "/tokens"}
    )

    (secret,) = set(SECRET.findall(reply.content.decode()))
    assert ApiToken.objects.get().name == "nightly"
    assert works(secret)
    assert carol_client.post("/tokens", GOOD | {"name": "second"}).status_code == 200


def test_it_shows_the_tokens_without_asking(carol_client: Client) -> None:
    page = collapsed(carol_client.get("/tokens"))
    assert "Creating one asks for your password or second factor." in page
    assert "revoked when an admin deactivates them" in page


def test_it_takes_the_second_factor_where_there_is_no_password(alice: User, client: Client) -> None:
    TOTP.activate(alice, TOTP_SECRET)
    client.force_login(alice)
    response = client.post("/tokens", GOOD)
    assert response["Location"].startswith("/accounts/2fa/reauthenticate/")
    reply = client.post(
        "/accounts/2fa/reauthenticate/", {"code": code(TOTP_SECRET), "next": "/tokens"}
    )
    assert SECRET.search(reply.content.decode())
    assert ApiToken.objects.count() == 1


def test_it_wants_a_new_sign_in_of_somebody_who_has_neither(alice: User, client: Client) -> None:
    client.force_login(alice)
    session = client.session
    session["began"] = int(time.time()) - 3600
    session.save()
    reply = client.post("/tokens", GOOD, follow=True)
    assert "sign out and sign in again" in collapsed(reply)
    assert not ApiToken.objects.exists()


def test_it_refuses_tokens_while_a_second_factor_is_missing(
    alice: User, lena: User, settings: Settings
) -> None:
    secret, other = make_token(lena), make_token(alice)
    settings.SECOND_FACTOR_ROLES = ["lead", "admin"]
    reply = Caller(secret)("POST", "/v1/annotations/list")
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "second_factor")
    assert works(other)
    TOTP.activate(lena, TOTP_SECRET)
    assert works(secret)
    Authenticator.objects.filter(user=lena).delete()
    assert not works(secret)


def test_it_revokes_tokens_for_good_with_a_deactivation(alice: User, adam: User) -> None:
    secret = make_token(alice)
    services.deactivate(alice, actor=adam)
    assert not works(secret)
    services.reactivate(alice, actor=adam)
    assert not works(secret)
    event = Event.objects.get(action="token.revoked")
    assert (event.actor_name, event.note) == ("adam", "alice was deactivated")


def test_it_revokes_the_tokens_of_somebody_who_was_deactivated_in_the_database(
    alice: User, adam: User
) -> None:
    secret = make_token(alice)
    User.people.filter(pk=alice.pk).update(is_active=False)
    services.reactivate(alice, actor=adam)
    assert not works(secret)


def test_it_revokes_tokens_with_a_new_password_by_an_admins_link(
    carol: User, alice: User, adam: User, client: Client
) -> None:
    secret, other = make_token(carol), make_token(alice)
    _, opens = invitations.new_password_link(carol, actor=adam)
    assert "revokes your API tokens" in collapsed(client.get(f"/new-password/{opens}"))
    client.post(f"/new-password/{opens}", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert not works(secret)
    assert works(other)
    event = Event.objects.get(action="token.revoked")
    assert (event.actor_name, event.note) == ("carol", "a new password was set by a link")


def test_it_revokes_tokens_with_a_new_password_by_mail(
    carol: User, client: Client, settings: Settings
) -> None:
    settings.EMAIL_HOST = "mail.example.com"
    secret = make_token(carol)
    client.post("/accounts/password/reset/", {"email": carol.email})
    for job in ProcrastinateJob.objects.filter(task_name=mail_password_link.name):
        mail_password_link(**job.args)
    (path,) = re.findall(r"/accounts/password/reset/key/\S+", str(mail.outbox[0].body))
    form = client.get(path, follow=True)
    passwords = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert client.post(form.redirect_chain[-1][0], passwords).status_code == 302
    assert not works(secret)


def test_it_leaves_tokens_alone_when_somebody_changes_their_password(
    carol: User, carol_client: Client
) -> None:
    secret = make_token(carol)
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert carol_client.post("/accounts/password/change/", form).status_code == 302
    assert works(secret)
    assert "API tokens" in collapsed(carol_client.get("/accounts/password/change/"))


def test_it_does_not_ask_again_for_a_revocation(carol: User, carol_client: Client) -> None:
    secret = make_token(carol)
    carol_client.post(f"/tokens/{ApiToken.objects.get().pk}/revoke")
    assert not works(secret)


def test_it_binds_nobody_by_a_role_that_somebody_else_has(settings: Settings) -> None:
    settings.SECOND_FACTOR_ROLES = ["admin"]
    person = make_person("rita", "reviewer")
    assert works(make_token(person))
    assert signed_in(person).get("/tokens").status_code == 200
