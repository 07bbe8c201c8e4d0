"""Guessers: slowed down by network and by account, and unable to lock the owner out for ever."""

from __future__ import annotations

from itertools import cycle

import pytest
from django.conf import settings as configured
from django.contrib.auth import get_user
from django.test import Client
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.accounts.people import invitations
from tests.people import PASSWORD, make_person, sign_in_with_password, signed_in

URL = "/accounts/login/"
SPELLINGS = ["carol", "CAROL", "carol@example.com", "\uff43arol", "Carol@Example.com"]


def try_password(
    address: str, password: str = PASSWORD, *, login: str = "carol", client: Client | None = None
) -> str:
    """Sign in from this address; return "" when that worked, else what the page says."""
    client = client or Client()
    response = client.post(URL, {"login": login, "password": password}, REMOTE_ADDR=address)
    return (
        "" if response.status_code == 302 else str(response.context["form"].non_field_errors()[0])
    )


@pytest.mark.parametrize(
    "addresses",
    [
        [f"2001:db8:1:2::{number}" for number in range(1, 7)],
        ["192.0.2.1", "::ffff:192.0.2.1"] * 3,
    ],
    ids=["one /64", "IPv4 written as IPv6"],
)
def test_it_counts_by_network(carol: User, addresses: list[str]) -> None:
    *guessed, last = addresses
    for address in guessed:
        try_password(address, "wrong")

    assert "Wait a minute" in try_password(last)


@pytest.mark.parametrize("other", ["2001:db8:1:3::1", "::ffff:192.0.2.2", "192.0.2.1"])
def test_it_lets_other_networks_in(carol: User, other: str) -> None:
    for address in ["2001:db8:1:2::1", "::ffff:192.0.2.3"] * 6:
        try_password(address, "wrong")

    assert try_password(other) == ""


def test_it_stops_a_network_that_tries_many_logins(carol: User) -> None:
    for number in range(20):
        try_password("192.0.2.1", "wrong", login=f"nobody{number}")

    assert "Wait a minute" in try_password("192.0.2.1")
    assert try_password("192.0.2.2") == ""


def test_it_counts_all_spellings_of_a_login_as_one(carol: User) -> None:
    for login in SPELLINGS:
        try_password("192.0.2.1", "wrong", login=login)

    assert "Wait a minute" in try_password("192.0.2.1")


@pytest.fixture
def few(settings: Settings) -> None:
    """Eight tries at one account, not a hundred."""
    assert configured.ACCOUNT_RATE_LIMITS["login_failed_at_account"] == "100/h/key"
    settings.ACCOUNT_RATE_LIMITS = {
        **configured.ACCOUNT_RATE_LIMITS,
        "login_failed_at_account": "8/h/key",
    }


def guess(login: str = "carol") -> None:
    """Guess from many networks, in every spelling, until one account takes no more."""
    logins = cycle(SPELLINGS if login == "carol" else [login])
    for number, typed in zip(range(8), logins, strict=False):
        assert "Wrong username or password" in try_password(
            f"2001:db8:{number}::1", "wrong", login=typed
        )


@pytest.mark.usefixtures("few")
def test_it_stops_a_guesser_with_many_networks(carol: User) -> None:
    make_person("bob", password=carol.password)
    guess()

    assert "Too many wrong passwords" in try_password("198.51.100.1")
    assert try_password("198.51.100.1", login="bob") == ""


@pytest.mark.usefixtures("few")
def test_it_says_the_same_about_an_account_that_does_not_exist(carol: User) -> None:
    guess("nobody")
    guess()

    assert try_password("198.51.100.1", login="nobody") == try_password("198.51.100.1")


@pytest.mark.usefixtures("few")
def test_it_lets_the_owner_in_from_a_browser_of_before(carol: User) -> None:
    owner = Client()
    sign_in_with_password(owner)
    owner.post("/accounts/logout/")

    guess()

    assert "Wrong username or password" in try_password("198.51.100.1", "a typo", client=owner)
    assert try_password("198.51.100.1", client=owner) == ""
    assert get_user(owner) == carol


@pytest.mark.usefixtures("few")
def test_it_lets_the_owner_in_from_the_network_of_the_guesser(carol: User) -> None:
    owner = Client()
    sign_in_with_password(owner)
    owner.post("/accounts/logout/")
    for _ in range(6):
        try_password("127.0.0.1", "wrong")

    assert try_password("127.0.0.1", client=owner) == ""


@pytest.mark.usefixtures("few")
def test_it_gives_a_browser_of_before_no_more_tries_than_all_others(carol: User) -> None:
    owner = Client()
    sign_in_with_password(owner)
    owner.post("/accounts/logout/")
    for number in range(8):
        try_password(f"2001:db8:{number}::1", "wrong", client=owner)

    assert "Too many wrong passwords" in try_password("198.51.100.1", client=owner)
    assert try_password("198.51.100.1") == ""


@pytest.mark.usefixtures("few")
def test_it_takes_no_proof_of_another_person_and_none_that_is_forged(
    carol: User, alice: User
) -> None:
    other = signed_in(alice)
    other.get("/preferences")
    other.post("/accounts/logout/")
    forger = Client()
    forger.cookies[configured.SESSION_PROOF_COOKIE_NAME] = f"{carol.pk}:1:forged"
    assert configured.SESSION_PROOF_COOKIE_NAME in other.cookies

    guess()

    for client in (other, forger):
        assert "Too many wrong passwords" in try_password("198.51.100.1", client=client)


@pytest.mark.usefixtures("few")
def test_it_lets_the_owner_in_who_set_a_new_password_by_a_link(carol: User, adam: User) -> None:
    _, secret = invitations.new_password_link(carol, actor=adam)
    new = "nine-blue-umbrellas"
    guess()

    owner = Client()
    owner.post(f"/new-password/{secret}", {"password1": new, "password2": new})
    guess_more = try_password("2001:db8:99::1", "wrong")

    assert "Too many wrong passwords" in guess_more
    assert try_password("198.51.100.1", new, client=owner) == ""
