"""Single sign-on: whatever JSON a provider sends, a person who cannot get in reads why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import get_user
from django.test import Client

from reviewapp.accounts.models import User
from tests.accounts.idp import Provider
from tests.accounts.sso_steps import sign_in_by_sso

BODIES = {
    "list": b"[]",
    "pair": b'[["sub", "w-1"]]',
    "string": b'"wendy"',
    "number": b"1e999",
    "null": b"null",
    "true": b"true",
    "nothing": b"",
    "no JSON": b"<html>",
    "no UTF-8": b'{"sub": "\xff"}',
    "deep": b'{"a":' * 100_000,
    "huge": b'{"a": "' + b"x" * 2_000_000 + b'"}',
}
WRONG = "The sign-in failed"


@pytest.fixture(params=list(BODIES.values()), ids=list(BODIES))
def body(request: pytest.FixtureRequest) -> bytes:
    """What no document of a provider may be."""
    content: bytes = request.param
    return content


@pytest.mark.parametrize("path", ["/userinfo", "/keys", "/token"])
def test_it_says_that_the_callback_got_something_else(
    client: Client, idp: Provider, path: str, body: bytes
) -> None:
    idp.bodies[path] = body

    response = sign_in_by_sso(client, idp)

    assert response.status_code == 400
    assert WRONG in response.content.decode()
    assert not get_user(client).is_authenticated
    assert not User.objects.exists()


def test_it_says_that_the_discovery_is_something_else(
    client: Client, idp: Provider, body: bytes
) -> None:
    idp.bodies["/.well-known/openid-configuration"] = body

    response = client.post("/accounts/sso/login/")

    assert response.status_code == 502
    assert WRONG in response.content.decode()
    assert "gave an unexpected answer" in response.content.decode()


@pytest.mark.parametrize(
    "discovery_lies",
    [
        {"authorization_endpoint": None},
        {"authorization_endpoint": ["x"]},
        {"token_endpoint": 5},
        {"jwks_uri": {}},
        {"jwks_uri": "file:///etc/passwd"},
        {"userinfo_endpoint": 7},
        {"token_endpoint_auth_methods_supported": 1},
    ],
    ids=str,
)
def test_it_takes_no_discovery_without_addresses(
    client: Client, idp: Provider, discovery_lies: dict[str, Any]
) -> None:
    idp.discovery_lies = discovery_lies

    response = client.post("/accounts/sso/login/")

    assert response.status_code == 502
    assert WRONG in response.content.decode()


@pytest.mark.parametrize(
    "document",
    [
        {"keys": None},
        {"keys": "x"},
        {"keys": ["x"]},
        {"keys": [None]},
        {"keys": [{"kty": 1}]},
        {"keys": [{"kty": "RSA", "kid": [], "n": 1, "e": {}}]},
    ],
    ids=str,
)
def test_it_takes_no_odd_keys(client: Client, idp: Provider, document: dict[str, Any]) -> None:
    idp.bodies["/keys"] = json.dumps(document).encode()

    assert sign_in_by_sso(client, idp).status_code == 400
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "document",
    [
        {"access_token": None},
        {"access_token": ["x"]},
        {"access_token": "é\n"},
        {"access_token": "x", "expires_in": "soon"},
        {"access_token": "x", "expires_in": 10**40},
        {"access_token": "x", "expires_in": [1]},
        {"access_token": "x", "id_token": 5},
        {"access_token": "x", "id_token": "a.b.c"},
        {"access_token": "x"},
    ],
    ids=str,
)
def test_it_takes_no_odd_tokens(client: Client, idp: Provider, document: dict[str, Any]) -> None:
    idp.bodies["/token"] = json.dumps(document).encode()

    response = sign_in_by_sso(client, idp)

    assert response.status_code == 400
    assert WRONG in response.content.decode()


@pytest.mark.parametrize(
    "claims",
    [
        {"email": ["wendy@example.com"]},
        {"email": 5, "email_verified": "yes"},
        {"preferred_username": {"a": 1}},
        {"groups": {"writers": True}},
        {"groups": None},
        {"exp": float("inf")},
        {"iat": 10**400},
        {"aud": {"reviewapp": 1}},
        {"azp": []},
        {"nonce": 5},
    ],
    ids=str,
)
def test_it_answers_to_claims_of_any_type(
    client: Client, idp: Provider, claims: dict[str, Any]
) -> None:
    idp.lies = claims

    assert sign_in_by_sso(client, idp).status_code in {302, 400, 403}


def test_it_takes_userinfo_that_has_odd_members(client: Client, idp: Provider) -> None:
    idp.userinfo_lies = {"name": ["W"], "given_name": {"x": 1}, "picture": [[[[]]]]}

    sign_in_by_sso(client, idp)

    assert get_user(client) == User.objects.get()


def test_it_logs_why_and_no_token(
    client: Client, idp: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    idp.bodies["/token"] = b'{"id_token": "eyJhbGciOi.secret", "refresh_token": "secret"}'

    assert sign_in_by_sso(client, idp).status_code == 400

    assert any("gave no access token" in message for message in caplog.messages)
    assert not any("secret" in message for message in caplog.messages)
