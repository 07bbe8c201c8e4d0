"""Sign-in: by name or address, back to where one was, never elsewhere, and slow for guessers."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from reviewapp.accounts.models import User
from tests.people import PASSWORD, make_person

URL = "/accounts/login/"


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.mark.parametrize(
    "name", ["carol", "CAROL", "carol@example.com", "Carol@Example.com", " carol "]
)
def test_it_takes_the_name_or_the_address(client: Client, carol: User, name: str) -> None:
    response = client.post(URL, {"login": name, "password": PASSWORD})

    assert response.status_code == 302
    assert response["Location"] == "/"
    assert is_signed_in(client)


def test_it_goes_back_to_where_one_was(client: Client, carol: User) -> None:
    page = client.get("/preferences?from=mail")
    form = client.get(page["Location"])
    assert form.context["redirect_field_value"] == "/preferences?from=mail"

    response = client.post(
        URL, {"login": "carol", "password": PASSWORD, "next": "/preferences?from=mail"}
    )

    assert response["Location"] == "/preferences?from=mail"


@pytest.mark.parametrize(
    "next_url",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "https://testserver@evil.example/",
        " https://evil.example",
        "data:text/html,x",
    ],
)
def test_it_never_leads_elsewhere(client: Client, carol: User, next_url: str) -> None:
    response = client.post(URL, {"login": "carol", "password": PASSWORD, "next": next_url})

    assert response.status_code == 302
    assert response["Location"] == "/"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"login": "carol"},
        {"login": "carol", "password": "wrong"},
        {"login": "nobody", "password": PASSWORD},
        {"login": "ca\0rol", "password": PASSWORD},
        {"login": "carol", "password": "\0"},
        {"login": "x" * 100_000, "password": PASSWORD},
        {"login": "\u202ecarol", "password": PASSWORD},
    ],
)
def test_it_refuses_what_does_not_fit_and_keeps_the_name(
    client: Client, carol: User, fields: dict[str, str]
) -> None:
    response = client.post(URL, fields)

    assert response.status_code == 422
    assert response.context["form"].errors
    assert not is_signed_in(client)
    assert PASSWORD not in response.content.decode()


def test_it_does_not_tell_whether_a_name_exists(client: Client, carol: User) -> None:
    wrong = client.post(URL, {"login": "carol", "password": "wrong"})
    unknown = client.post(URL, {"login": "nobody", "password": "wrong"})

    assert wrong.context["form"].errors == unknown.context["form"].errors


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is hashed, which is what takes the time."""

    algorithm = "counting"
    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        """Return the hash."""
        CountingHasher.hashed += 1
        return super().encode(password, salt)


LOGINS = [
    "known",
    "KNOWN",
    "known@example.com",
    "away",
    "away@example.com",
    "sso",
    "sso@example.com",
]


@pytest.mark.parametrize("login", [*LOGINS, "nobody", "nobody@example.com"])
def test_it_takes_as_long_for_a_name_or_address_that_is_not_here(
    client: Client, quick_hashing: None, settings: Settings, login: str
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    make_person("known", password=make_password(PASSWORD))
    make_person("away", password=make_password(PASSWORD), is_active=False)
    make_person("sso")
    CountingHasher.hashed = 0

    with CaptureQueriesContext(connection) as captured:
        response = client.post(URL, {"login": login, "password": "wrong"})

    assert "Wrong username or password" in response.context["form"].non_field_errors()[0]
    assert CountingHasher.hashed == 1
    assert sum("accounts_user" in query["sql"] for query in captured.captured_queries) == 2


def test_it_makes_a_guesser_wait(client: Client, carol: User) -> None:
    for _ in range(5):
        client.post(URL, {"login": "carol", "password": "wrong"})

    response = client.post(URL, {"login": "carol", "password": PASSWORD})

    assert response.status_code == 422
    assert "Wait a minute" in response.content.decode()
    assert not is_signed_in(client)


def test_it_lets_others_in_while_a_guesser_waits(client: Client, carol: User) -> None:
    for _ in range(6):
        client.post(URL, {"login": "bob", "password": "wrong"})

    client.post(URL, {"login": "carol", "password": PASSWORD})

    assert is_signed_in(client)


def test_it_lets_the_owner_in_from_elsewhere_while_a_guesser_waits(
    client: Client, carol: User
) -> None:
    for _ in range(8):
        client.post(URL, {"login": "carol", "password": "wrong"}, REMOTE_ADDR="192.0.2.7")

    refused = client.post(URL, {"login": "carol", "password": PASSWORD}, REMOTE_ADDR="192.0.2.7")
    Client().post(URL, {"login": "carol", "password": "typo"}, REMOTE_ADDR="198.51.100.3")
    client.post(URL, {"login": "carol", "password": PASSWORD}, REMOTE_ADDR="198.51.100.3")

    assert "Wait a minute" in refused.content.decode()
    assert is_signed_in(client)


def test_it_stops_whoever_sends_too_much(client: Client, carol: User, settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    client.post(URL, {"login": "carol", "password": "wrong"})

    response = client.post(URL, {"login": "carol", "password": PASSWORD})

    assert response.status_code == 429
    assert "Too many requests" in response.content.decode()


def test_it_forgets_the_sessions_id_from_before(client: Client, carol: User) -> None:
    session = client.session
    session["planted"] = True
    session.save()
    before = session.session_key

    client.post(URL, {"login": "carol", "password": PASSWORD})

    assert client.session.session_key != before


def test_it_refuses_a_person_who_is_switched_off(client: Client, carol: User) -> None:
    User.objects.filter(pk=carol.pk).update(is_active=False)

    response = client.post(URL, {"login": "carol", "password": PASSWORD}, follow=True)

    assert "Your account is deactivated" in response.content.decode()
    assert not is_signed_in(client)


def test_it_asks_for_the_token_of_the_form(carol: User) -> None:
    response = Client(enforce_csrf_checks=True).post(URL, {"login": "carol", "password": PASSWORD})

    assert response.status_code == 403


def test_it_sends_the_signed_in_on(client: Client, alice: User) -> None:
    client.force_login(alice)

    assert client.get(URL)["Location"] == "/"


def test_it_shows_no_navigation_to_strangers(client: Client, db: None) -> None:
    page = client.get(URL).content.decode()

    assert "Sign in" in page
    assert "<nav" not in page


@pytest.mark.parametrize(
    "path",
    [
        "signup/",
        "email/",
        "confirm-email/",
        "password/set/",
        "password/reset/key/",
        "login/code/",
        "social/",
        "",
    ],
)
def test_it_offers_no_page_that_makes_no_sense_here(client: Client, alice: User, path: str) -> None:
    assert client.get(f"/accounts/{path}").status_code == 404
    client.force_login(alice)
    assert client.get(f"/accounts/{path}").status_code == 404


def test_it_counts_failures_where_all_processes_see_them(db: None, settings: Settings) -> None:
    cache.set("counted", 1)

    assert settings.CACHES["default"]["BACKEND"].endswith("JsonDatabaseCache")
    assert cache.get("counted") == 1


def test_it_signs_out_by_post(client: Client, alice: User) -> None:
    client.force_login(alice)

    assert client.get("/accounts/logout/").status_code == 200
    assert get_user(client).is_authenticated
    response = client.post("/accounts/logout/")

    assert response["Location"] == URL
    assert not is_signed_in(client)


def test_it_never_leads_elsewhere_after_signing_out(client: Client, alice: User) -> None:
    client.force_login(alice)

    assert client.post("/accounts/logout/", {"next": "https://evil.example/"})["Location"] == URL
