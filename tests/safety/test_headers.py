"""What every answer says to the browser, and what cookies it may keep."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import Client
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.api import tokens
from tests.people import PASSWORD, make_person

PAGES = [
    "/",
    "/preferences",
    "/accounts/login/",
    "/accounts/password/change/",
    "/accounts/inactive/",
    "/no/such/page",
]


def directives(policy: str) -> dict[str, list[str]]:
    parts = [part.split() for part in policy.split(";") if part.strip()]
    return {name: sources for name, *sources in parts}


@pytest.fixture(params=["signed in", "signed out"])
def reader(request: pytest.FixtureRequest, client: Client, alice: User) -> Client:
    if request.param == "signed in":
        client.force_login(alice)
    return client


@pytest.mark.parametrize("path", PAGES)
def test_it_enforces_a_strict_policy_on_every_answer(reader: Client, path: str) -> None:
    response = reader.get(path)

    policy = directives(response["Content-Security-Policy"])
    assert "Content-Security-Policy-Report-Only" not in response
    assert "unsafe" not in response["Content-Security-Policy"]
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == ["'self'"]
    assert policy["connect-src"] == policy["frame-src"] == ["'self'", *settings.MEDIA_HOSTS]
    assert policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    for sources in policy.values():
        assert not {"*", "http:", "https:"} & set(sources)


@pytest.mark.parametrize("path", PAGES)
def test_it_is_framed_sniffed_and_quoted_by_nobody(reader: Client, path: str) -> None:
    response = reader.get(path)

    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "path", [*PAGES, "/annotations", "/history", "/people", "/api/v1/annotations", "/v1/nothing"]
)
def test_it_lets_nobody_store_an_answer(reader: Client, path: str) -> None:
    stored_by = {word.strip() for word in reader.get(path)["Cache-Control"].split(",")}
    assert {"private", "no-store"} <= stored_by


def test_it_lets_nobody_store_what_a_token_reads(client: Client, alice: User) -> None:
    secret = tokens.create_token(alice, name="script", scope="read", actor=None)[1]
    for path in ("/api/v1/annotations", "/api/v1/retrievers", "/api/v1/annotations/none"):
        answer = client.get(path, headers={"Authorization": f"Bearer {secret}"})
        assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", PAGES)
def test_it_lets_no_page_use_what_it_does_not_need(reader: Client, path: str) -> None:
    features = dict(part.split("=") for part in reader.get(path)["Permissions-Policy"].split(", "))
    assert (
        features["camera"]
        == features["microphone"]
        == features["geolocation"]
        == features["payment"]
        == "()"
    )
    # A passkey is asked for, a picture is shown on the whole screen.
    assert not features.keys() & {
        "publickey-credentials-get",
        "publickey-credentials-create",
        "fullscreen",
    }


def test_it_keeps_the_session_from_scripts_and_from_other_sites(
    client: Client, settings: Settings, db: None
) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    make_person("carol", password=make_password(PASSWORD))
    client.get("/accounts/login/", secure=True)
    client.post("/accounts/login/", {"login": "carol", "password": PASSWORD}, secure=True)

    session = client.cookies[settings.SESSION_COOKIE_NAME]
    token = client.cookies[settings.CSRF_COOKIE_NAME]
    assert session["httponly"] is True
    assert session["secure"] is token["secure"] is True
    assert session["samesite"] == token["samesite"] == "Lax"


def test_it_turns_plain_http_into_https_and_says_so_for_a_year(
    client: Client, settings: Settings, db: None
) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000

    assert client.get("/accounts/login/")["Location"] == "https://testserver/accounts/login/"
    assert (
        "max-age=31536000"
        in client.get("/accounts/login/", secure=True)["Strict-Transport-Security"]
    )


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver@evil.example", "a b"]
)
def test_it_answers_to_no_other_host(client: Client, db: None, host: str) -> None:
    assert client.get("/accounts/login/", headers={"Host": host}).status_code == 400


def test_it_keeps_answers_out_of_shared_caches_while_signing_in(client: Client, db: None) -> None:
    assert "no-store" in client.get("/accounts/login/")["Cache-Control"]


def test_it_shows_the_api_key_on_no_page(client: Client, adam: User, settings: Settings) -> None:
    settings.MIXPEEK_API_KEY = "sk_live_never_shown"
    client.force_login(adam)

    for path in PAGES:
        assert "sk_live" not in client.get(path).content.decode()
