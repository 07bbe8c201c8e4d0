"""Secrets of second factors are encrypted in the database; what a new SECRET_KEY does."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.apps import apps
from django.contrib.auth import get_user
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from reviewapp.accounts.models import User
from tests.accounts.totp import code
from tests.people import PASSWORD, make_person, sign_in_with_password, signed_in

_MIGRATION = import_module("reviewapp.accounts.migrations.0009_encrypted_factors")

SECRET = "JBSWY3DPEHPK3PXP"
SEED = "0123456789abcdef" * 5
OLD, NEW = "old-" + "k" * 46, "new-" + "k" * 46


def stored() -> str:
    """Return all that the database, and so a backup, says about factors."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(mfa_authenticator::text, ' ') FROM mfa_authenticator")
        ((text,),) = cursor.fetchall()
    return str(text)


def try_code(typed: str) -> Any:
    """Sign in as Carol, with the password and a code; return the response to the code."""
    sign_in_with_password(client := Client())
    return client.post("/accounts/2fa/authenticate/", {"code": typed})


@pytest.fixture
def factors(settings: Settings, carol: User) -> list[str]:
    """Carol's app (`SECRET`) and recovery codes, set up under an old SECRET_KEY; the codes."""
    settings.SECRET_KEY = OLD
    TOTP.activate(carol, SECRET)
    codes: list[str] = RecoveryCodes.activate(carol).generate_codes()
    return codes


def test_it_stores_no_secret_in_clear(client: Client, carol: User) -> None:
    sign_in_with_password(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    codes = client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]

    text = stored()

    assert Authenticator.objects.filter(user=carol).count() == 2
    assert len(codes) == 10
    assert not [value for value in [secret, *codes] if value in text]
    assert secret not in client.session.values()
    assert try_code(code(secret, later=1)).status_code == 302
    assert try_code(codes[0]).status_code == 302


def test_it_encrypts_what_is_there_at_an_upgrade_and_back(carol: User) -> None:
    codes = ["12345678", "87654321"]
    totp = Authenticator.objects.create(user=carol, type="totp", data={"secret": SECRET})
    seeded = Authenticator.objects.create(
        user=carol, type="recovery_codes", data={"seed": SEED, "used_mask": 5}
    )
    other = make_person("dora")
    Authenticator.objects.create(user=other, type="recovery_codes", data={"migrated_codes": codes})
    passkey = Authenticator.objects.create(
        user=carol, type="webauthn", data={"name": "laptop", "credential": {}}
    )

    with connection.schema_editor() as editor:
        _MIGRATION.encrypt(apps, editor)
        _MIGRATION.encrypt(apps, editor)

    assert not [secret for secret in [SECRET, SEED, *codes] if secret in stored()]
    assert try_code(code(SECRET)).status_code == 302
    seeded.refresh_from_db()
    assert seeded.data["used_mask"] == 5
    assert len(seeded.wrap().get_unused_codes()) == 8
    passkey.refresh_from_db()
    assert passkey.data == {"name": "laptop", "credential": {}}

    with connection.schema_editor() as editor:
        _MIGRATION.decrypt(apps, editor)

    totp.refresh_from_db()
    seeded.refresh_from_db()
    assert (totp.data["secret"], seeded.data["seed"]) == (SECRET, SEED)
    assert Authenticator.objects.get(user=other).data["migrated_codes"] == codes


def test_it_reads_them_with_a_key_of_before(factors: list[str], settings: Settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]

    assert try_code(code(SECRET)).status_code == 302
    assert try_code(factors[0]).status_code == 302


def test_it_needs_the_old_key_no_more_once_they_are_encrypted_anew(
    factors: list[str], settings: Settings
) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    call_command("encrypt_factors", stdout=(out := io.StringIO()))
    settings.SECRET_KEY_FALLBACKS = []

    assert "2 factors are encrypted" in out.getvalue()
    assert try_code(code(SECRET)).status_code == 302
    assert try_code(factors[0]).status_code == 302


def test_it_names_whose_factors_it_cannot_read(factors: list[str], settings: Settings) -> None:
    settings.SECRET_KEY = NEW
    dora = make_person("dora")
    TOTP.activate(dora, SECRET)
    before = stored()

    with pytest.raises(
        CommandError, match=r"2 factors were encrypted with another key. They belong to: carol\."
    ):
        call_command("encrypt_factors", stdout=io.StringIO())

    settings.SECRET_KEY = OLD
    assert (
        Authenticator.objects.get(user__username="carol", type="totp")
        .wrap()
        .validate_code(code(SECRET))
    )
    assert before != stored()


@pytest.mark.usefixtures("factors")
@pytest.mark.parametrize("typed", ["000000", "12345678"])
def test_it_refuses_codes_in_a_sentence_without_the_key(settings: Settings, typed: str) -> None:
    settings.SECRET_KEY = NEW

    response = try_code(typed)

    assert response.status_code == 422
    assert "this site&#39;s key was changed" in response.content.decode()


@pytest.fixture
def keyless_client(client: Client, carol: User, settings: Settings) -> Client:
    """Carol, signed in, whose factors were encrypted with a key that nobody has any more."""
    settings.SECRET_KEY = NEW
    sign_in_with_password(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    settings.SECRET_KEY = OLD
    TOTP.activate(carol, SECRET)
    RecoveryCodes.activate(carol)
    settings.SECRET_KEY = NEW
    return client


@pytest.mark.parametrize("path", ["", "download/"])
def test_it_says_why_no_recovery_codes_are_shown(keyless_client: Client, path: str) -> None:
    response = keyless_client.get(f"/accounts/2fa/recovery-codes/{path}", follow=True)

    assert response.redirect_chain == [("/accounts/2fa/", 302)]
    assert "this site&#39;s key was changed" in response.content.decode()


def test_it_makes_new_recovery_codes_in_the_place_of_those_it_cannot_read(
    keyless_client: Client,
) -> None:
    assert keyless_client.get("/accounts/2fa/recovery-codes/generate/").status_code == 200
    keyless_client.post("/accounts/2fa/recovery-codes/generate/")

    assert len(keyless_client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]) == 10
    # The app still cannot be read, and can be turned off.
    assert (
        "this site&#39;s key was changed" in keyless_client.get("/accounts/2fa/").content.decode()
    )
    keyless_client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()


@pytest.mark.usefixtures("factors")
def test_it_lets_somebody_in_again_whose_factor_an_admin_takes_away(
    client: Client, carol: User, adam: User, settings: Settings
) -> None:
    settings.SECRET_KEY = NEW

    signed_in(adam).post(f"/people/{carol.pk}/remove-factors")
    sign_in_with_password(client)

    assert get_user(client) == carol
