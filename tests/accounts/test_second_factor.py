"""Second factors: authenticator app, passkeys, recovery codes; a must for the roles that a setting names."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth import get_user
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from reviewapp.accounts.models import User
from tests.accounts.conftest import PASSWORD
from tests.accounts.passkey import Passkey, options_on
from tests.accounts.totp import code

SECRET = "JBSWY3DPEHPK3PXP"


def password(client: Client) -> Any:
    """Sign in with the password alone."""
    return client.post("/accounts/login/", {"login": "carol", "password": PASSWORD})


@pytest.fixture
def signed_in(client: Client, carol: User) -> Client:
    """Carol, who typed her password again just now."""
    password(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def test_it_sets_up_an_app_and_shows_recovery_codes(signed_in: Client, carol: User) -> None:
    page = signed_in.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    assert secret in page.content.decode()
    assert 'src="data:image/svg+xml;base64,' in page.content.decode()

    done = signed_in.post("/accounts/2fa/totp/activate/", {"code": code(secret)}, follow=True)

    assert done.redirect_chain[-1][0] == "/accounts/2fa/recovery-codes/"
    assert len(re.findall(r"<li>\d{8}</li>", done.content.decode())) == 10
    assert set(Authenticator.objects.filter(user=carol).values_list("type", flat=True)) == {"totp", "recovery_codes"}


def test_it_leads_somebody_without_recovery_codes_to_the_second_factor(signed_in: Client) -> None:
    assert signed_in.get("/accounts/2fa/recovery-codes/")["Location"] == "/accounts/2fa/"


@pytest.mark.parametrize("typed", ["000000", "", "abc", "1" * 400, "\0"])
def test_it_turns_nothing_on_by_a_wrong_code(signed_in: Client, carol: User, typed: str) -> None:
    signed_in.get("/accounts/2fa/totp/activate/")

    response = signed_in.post("/accounts/2fa/totp/activate/", {"code": typed})

    assert response.status_code == 422
    assert "field-error" in response.content.decode()
    assert not Authenticator.objects.exists()


def test_it_asks_for_the_password_before_it_changes_anything(client: Client, carol: User) -> None:
    password(client)

    assert client.get("/accounts/2fa/totp/activate/")["Location"].startswith("/accounts/reauthenticate/")
    refused = client.post("/accounts/reauthenticate/", {"password": "wrong"})
    assert refused.status_code == 422
    assert client.get("/accounts/2fa/totp/activate/").status_code == 302


def test_it_asks_for_a_code_at_sign_in(client: Client, carol: User) -> None:
    TOTP.activate(carol, SECRET)

    response = password(client)

    assert response["Location"].startswith("/accounts/2fa/authenticate/")
    assert not get_user(client).is_authenticated
    assert client.get("/preferences").status_code == 302
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert wrong.status_code == 422
    assert client.post("/accounts/2fa/authenticate/", {"code": code(SECRET)}).status_code == 302
    assert get_user(client) == carol


def test_it_takes_a_code_once(client: Client, carol: User) -> None:
    TOTP.activate(carol, SECRET)
    shown = code(SECRET)
    password(client)
    client.post("/accounts/2fa/authenticate/", {"code": shown})

    password(other := Client())
    again = other.post("/accounts/2fa/authenticate/", {"code": shown})

    assert again.status_code == 422


def test_it_makes_a_guesser_of_codes_wait(client: Client, carol: User) -> None:
    TOTP.activate(carol, SECRET)
    password(client)
    for _ in range(12):
        client.post("/accounts/2fa/authenticate/", {"code": "000000"})

    response = client.post("/accounts/2fa/authenticate/", {"code": code(SECRET)})

    assert response.status_code == 422
    assert not get_user(client).is_authenticated


def test_it_takes_each_recovery_code_once(signed_in: Client, carol: User) -> None:
    secret = signed_in.get("/accounts/2fa/totp/activate/").context["form"].secret
    signed_in.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    kept = signed_in.get("/accounts/2fa/recovery-codes/").context["unused_codes"][0]
    assert kept in signed_in.get("/accounts/2fa/recovery-codes/download/").content.decode()

    answers = []
    for _ in range(2):
        password(other := Client())
        answers.append(other.post("/accounts/2fa/authenticate/", {"code": kept}).status_code)

    assert answers == [302, 422]


def test_it_turns_the_app_off_and_the_codes_with_it(signed_in: Client, carol: User) -> None:
    secret = signed_in.get("/accounts/2fa/totp/activate/").context["form"].secret
    signed_in.post("/accounts/2fa/totp/activate/", {"code": code(secret)})

    signed_in.post("/accounts/2fa/totp/deactivate/")

    assert not Authenticator.objects.exists()


@pytest.fixture
def passkey(signed_in: Client, carol: User) -> Passkey:
    """A passkey that carol added."""
    key = Passkey()
    options = options_on(signed_in.get("/accounts/2fa/passkeys/add/"))
    sent = {"name": "laptop", "credential": key.create(options), "passwordless": "on"}
    assert signed_in.post("/accounts/2fa/passkeys/add/", sent).status_code == 302
    return key


def test_it_lists_renames_and_removes_a_passkey(signed_in: Client, passkey: Passkey) -> None:
    assert "laptop" in signed_in.get("/accounts/2fa/passkeys/").content.decode()
    key = Authenticator.objects.get(type="webauthn").pk

    signed_in.post(f"/accounts/2fa/passkeys/{key}/edit/", {"name": "old laptop"})
    assert "old laptop" in signed_in.get("/accounts/2fa/passkeys/").content.decode()
    signed_in.post(f"/accounts/2fa/passkeys/{key}/remove/")

    assert not Authenticator.objects.filter(type="webauthn").exists()


def test_it_takes_a_passkey_as_the_second_factor(passkey: Passkey, carol: User) -> None:
    password(client := Client())
    options = options_on(client.get("/accounts/2fa/authenticate/"))

    client.post("/accounts/2fa/authenticate/", {"credential": passkey.get(options)})

    assert get_user(client) == carol


def test_it_signs_in_with_a_passkey_alone(passkey: Passkey, carol: User) -> None:
    client = Client()
    options = client.get("/accounts/2fa/passkeys/login/", headers={"Accept": "application/json"}).json()

    client.post("/accounts/2fa/passkeys/login/", {"credential": passkey.get(options["request_options"]["publicKey"])})

    assert get_user(client) == carol


ODD = [
    "",
    "{}",
    "[]",
    "x",
    '{"id": 1}',
    "null",
    '{"id": "AA", "rawId": "AA", "response": {}}',
    '{"id": "AA", "rawId": 7}',
]


@pytest.mark.parametrize("credential", ODD)
def test_it_takes_nothing_else_for_a_passkey(passkey: Passkey, credential: str) -> None:
    password(client := Client())
    client.get("/accounts/2fa/authenticate/")

    response = client.post("/accounts/2fa/authenticate/", {"credential": credential})

    assert response.status_code == 422
    assert not get_user(client).is_authenticated


@pytest.mark.parametrize("credential", ODD)
def test_it_registers_and_signs_in_nothing_else(signed_in: Client, credential: str) -> None:
    signed_in.get("/accounts/2fa/passkeys/add/")
    added = signed_in.post("/accounts/2fa/passkeys/add/", {"name": "x", "credential": credential})
    Client().get("/accounts/2fa/passkeys/login/", headers={"Accept": "application/json"})
    entered = (client := Client()).post("/accounts/2fa/passkeys/login/", {"credential": credential})

    assert (added.status_code, entered.status_code) == (422, 302)
    assert not get_user(client).is_authenticated
    assert not Authenticator.objects.exists()


def test_it_takes_no_passkey_of_a_stranger(passkey: Passkey) -> None:
    password(client := Client())
    options = options_on(client.get("/accounts/2fa/authenticate/"))

    client.post("/accounts/2fa/authenticate/", {"credential": Passkey().get(options)})

    assert not get_user(client).is_authenticated


@pytest.fixture
def must(settings: Settings) -> None:
    """Reviewers need a second factor."""
    settings.SECOND_FACTOR_ROLES = ["reviewer"]


@pytest.mark.usefixtures("must")
def test_it_leads_those_who_need_one_to_set_it_up_before_anything_else(signed_in: Client) -> None:
    for path in ("/annotations", "/preferences", "/history", "/retrievers"):
        assert signed_in.get(path)["Location"] == "/accounts/2fa/"
    assert "Your role needs a second factor" in signed_in.get("/accounts/2fa/").content.decode()
    part = signed_in.get("/annotations", headers={"HX-Request": "true"})
    assert part.status_code == 401
    assert "what you typed is still here" in part.content.decode()

    secret = signed_in.get("/accounts/2fa/totp/activate/").context["form"].secret
    signed_in.post("/accounts/2fa/totp/activate/", {"code": code(secret)})

    assert signed_in.get("/annotations").status_code == 200


@pytest.mark.usefixtures("must")
def test_it_counts_no_recovery_code_as_one(signed_in: Client, carol: User) -> None:
    Authenticator.objects.create(user=carol, type="recovery_codes", data={})

    assert signed_in.get("/annotations").status_code == 302


@pytest.mark.usefixtures("must")
def test_it_leaves_other_roles_and_the_way_out_alone(client: Client, lena: User, signed_in: Client) -> None:
    other = Client()
    other.force_login(lena)

    assert other.get("/annotations").status_code == 200
    assert signed_in.post("/accounts/logout/").status_code == 302


def test_it_asks_nothing_of_the_database_where_no_role_needs_one(
    signed_in: Client,
) -> None:
    with CaptureQueriesContext(connection) as asked:
        signed_in.get("/preferences")

    assert not any("mfa_authenticator" in query["sql"] for query in asked.captured_queries)
