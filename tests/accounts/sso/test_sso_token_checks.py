"""Single sign-on: what a provider, or whoever poses as one, says and is not believed."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user
from django.test import Client
from pytest_django import Settings

from reviewapp.accounts.models import User
from tests.accounts.idp import STRANGERS_KEY, Provider
from tests.accounts.sso_steps import WENDY, begin, come_back, sign_in_by_sso

# Fixed: what tests are called must be the same in every process that runs them.
LONG_AGO, LONG_HENCE = 1_000_000_000, 10_000_000_000


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "somebody-else"},
        {"aud": ["reviewapp", "x"], "azp": "x"},
        {"aud": ["reviewapp", "x"]},
        {"exp": LONG_AGO},
        {"exp": None},
        {"iat": LONG_HENCE},
        {"sub": "w-2"},
        {"sub": None},
    ],
    ids=str,
)
def test_it_believes_no_token_of_another_issuer_client_time_or_subject(
    client: Client, idp: Provider, lie: dict[str, Any]
) -> None:
    idp.lies = lie
    idp.userinfo_lies = {"sub": "w-1"}

    response = sign_in_by_sso(client, idp)

    assert response.status_code == 400
    assert "sign-in failed" in response.content.decode()
    assert not get_user(client).is_authenticated
    assert not User.objects.exists()


def test_it_believes_a_token_that_others_may_read_too(client: Client, idp: Provider) -> None:
    idp.lies = {"aud": ["reviewapp", "x"], "azp": "reviewapp"}

    sign_in_by_sso(client, idp)

    assert get_user(client).get_username() == "wendy"


@pytest.mark.parametrize("subject", ["w\x00", "w\ud800", "w" * 192], ids=["NUL", "half", "long"])
def test_it_lets_nobody_in_whose_subject_cannot_be_stored(
    client: Client, idp: Provider, subject: str
) -> None:
    response = sign_in_by_sso(client, idp, sub=subject)

    assert response.status_code == 400
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "wendy\x00@example.com"},
        {"given_name": "W\x00"},
        {"family_name": "W\ud800"},
        {"groups": ["writers", "\x00"]},
        {"odd": {"\x00": ["\ud800", float("nan")]}},
    ],
    ids=["address", "NUL", "half", "groups", "nested"],
)
def test_it_signs_in_whatever_characters_the_claims_have(
    client: Client, idp: Provider, claims: dict[str, Any]
) -> None:
    sign_in_by_sso(client, idp, **claims)

    person = User.objects.get()
    assert get_user(client) == person
    assert (person.username, person.first_name, person.last_name) == ("wendy", "", "")


def test_it_takes_no_name_from_userinfo_that_cannot_be_stored(
    client: Client, idp: Provider
) -> None:
    idp.userinfo_lies = {"given_name": "G\x00", "family_name": "\ud800"}

    sign_in_by_sso(client, idp)

    person = User.objects.get()
    assert (person.username, person.first_name, person.last_name) == ("wendy", "", "")


@pytest.mark.parametrize("nonce", ["another", "", None, 7])
def test_it_believes_no_token_of_another_sign_in(client: Client, idp: Provider, nonce: Any) -> None:
    idp.lies = {"nonce": nonce}

    response = sign_in_by_sso(client, idp)

    assert response.status_code == 403
    assert "was not started in this browser" in response.content.decode()
    assert not User.objects.exists()


def test_it_believes_no_signature_of_a_stranger(client: Client, idp: Provider) -> None:
    idp.key = STRANGERS_KEY

    assert sign_in_by_sso(client, idp).status_code == 400
    assert not User.objects.exists()


def test_it_believes_no_token_without_a_signature(client: Client, idp: Provider) -> None:
    idp.algorithm = "none"

    assert sign_in_by_sso(client, idp).status_code == 400


def test_it_believes_no_discovery_of_another_issuer(client: Client, idp: Provider) -> None:
    idp.discovery_lies = {"issuer": "https://evil.example"}

    response = client.post("/accounts/sso/login/")

    assert response.status_code == 502
    assert "gave an unexpected answer" in response.content.decode()


@pytest.mark.parametrize(
    ("token", "userinfo"),
    [
        ({"email": None, "email_verified": True}, {"email": "carol@example.com"}),
        ({"email": "carol@example.com", "email_verified": None}, {"email_verified": True}),
        (
            {"email": None, "email_verified": None},
            {"email": "carol@example.com", "email_verified": True},
        ),
    ],
    ids=["address", "proof", "both"],
)
def test_it_takes_no_address_and_no_proof_from_userinfo(
    client: Client, idp: Provider, carol: User, token: dict[str, Any], userinfo: dict[str, Any]
) -> None:
    idp.userinfo_lies = userinfo

    sign_in_by_sso(client, idp, **token)

    assert get_user(client).get_username() == "wendy"
    assert User.objects.get(username="wendy").email == ""
    carol.refresh_from_db()
    assert carol.has_usable_password()


@pytest.mark.parametrize("claim", ["groups", "name", "realm_access.roles"])
def test_it_takes_no_groups_from_userinfo(
    client: Client, idp: Provider, settings: Settings, claim: str
) -> None:
    settings.OIDC_GROUPS_CLAIM = claim
    idp.userinfo_lies = {"groups": ["heads"], "name": "heads", "realm_access": {"roles": ["heads"]}}

    response = sign_in_by_sso(client, idp, groups=None)

    assert response.status_code == 403
    assert not User.objects.exists()


def test_it_takes_names_from_userinfo(client: Client, idp: Provider) -> None:
    idp.userinfo_lies = {
        "preferred_username": "gwen",
        "given_name": "Gwendolyn",
        "family_name": ["no name"],
    }

    sign_in_by_sso(client, idp, preferred_username=None)

    person = User.objects.get()
    assert (person.username, person.first_name, person.last_name) == ("gwen", "Gwendolyn", "")


@pytest.mark.parametrize(
    ("stored", "claimed"),
    [
        ("carol@mail.example", "carol@ma\u0131l.example"),
        ("carol@mail.example", "\uff43arol@mail.example"),
        ("kate@mail.example", "\u212aate@mail.example"),
        ("sue@mail.example", "\u017fue@mail.example"),
        ("carol@strasse.example", "carol@stra\u00dfe.example"),
    ],
    ids=["dotless", "full width", "kelvin", "long s", "sharp s"],
)
def test_it_links_no_address_that_only_looks_alike(
    client: Client, idp: Provider, carol: User, stored: str, claimed: str
) -> None:
    carol.email = stored
    carol.save()

    sign_in_by_sso(client, idp, email=claimed)

    assert get_user(client) != carol
    carol.refresh_from_db()
    assert carol.has_usable_password()
    assert not SocialAccount.objects.filter(user=carol).exists()


def test_it_wants_back_the_state_it_gave(client: Client, idp: Provider) -> None:
    idp.who = WENDY
    location = begin(client)
    led = (
        requests.get(location, allow_redirects=False, timeout=60)
        .headers["Location"]
        .removeprefix("http://testserver")
    )
    state = parse_qs(urlsplit(led).query)["state"][0]

    assert client.get(led.replace(state, "x" * 16)).status_code == 400
    assert Client().get(led).status_code == 400
    assert client.get("/accounts/sso/login/callback/").status_code == 400
    assert not User.objects.exists()


def test_it_takes_a_state_once(client: Client, idp: Provider) -> None:
    idp.who = WENDY
    location = begin(client)
    come_back(client, location)

    assert come_back(client, location).status_code == 400


def test_it_says_so_when_the_provider_is_away(
    client: Client, idp: Provider, settings: Settings
) -> None:
    idp.broken = {"/.well-known/openid-configuration"}

    assert client.post("/accounts/sso/login/").status_code == 502
