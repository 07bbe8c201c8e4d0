"""`changepassword`: what an operator does for somebody whose password is in wrong hands."""

from __future__ import annotations

import getpass
import io

import pytest
from django.core.management import call_command
from django.test import Client

from reviewapp.accounts.models import User
from reviewapp.accounts.people import invitations
from reviewapp.api import tokens
from reviewapp.audit.models import Event
from tests.people import sign_in_with_password

NEW = "nine-blue-umbrellas"


def test_it_ends_what_the_old_password_had_let_in(
    carol: User, alice: User, adam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, secret = tokens.create_token(carol, name="script", scope="decide", actor=None)
    _, secret_of_alice = tokens.create_token(alice, name="script", scope="decide", actor=None)
    _, link = invitations.new_password_link(carol, actor=adam)
    browser = Client()
    sign_in_with_password(browser)
    monkeypatch.setattr(getpass, "getpass", lambda prompt="": NEW)

    call_command("changepassword", "carol", stdout=io.StringIO())

    carol.refresh_from_db()
    assert carol.check_password(NEW)
    assert tokens.authenticate(secret) is None
    assert tokens.authenticate(secret_of_alice) is not None
    assert browser.get("/preferences").status_code == 302
    assert Client().get(f"/new-password/{link}").status_code == 404
    revoked = Event.objects.get(action="token.revoked", ref=f"tokens/{token.pk}")
    assert revoked.note == "a new password was set at the command line"
