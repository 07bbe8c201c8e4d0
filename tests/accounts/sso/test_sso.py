"""Single sign-on, against a real provider over a real socket: who gets in, and as what."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user
from django.test import Client
from pytest_django import Settings

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.audit.models import Event
from tests.accounts.idp import Provider
from tests.accounts.sso_steps import WENDY, begin, come_back, sign_in_by_sso
from tests.people import PASSWORD, sign_in_with_password


def test_it_offers_the_button_only_where_it_is_set_up(
    client: Client, db: None, idp: Provider
) -> None:
    assert "Sign in with Our house" in client.get("/accounts/login/").content.decode()


def test_it_is_not_there_unless_set_up(client: Client, db: None) -> None:
    assert "/accounts/sso/" not in client.get("/accounts/login/").content.decode()
    assert client.get("/accounts/sso/login/").status_code == 404
    assert client.get("/accounts/sso/login/callback/").status_code == 404


def test_it_lets_a_new_person_in_with_the_role_of_the_group(client: Client, idp: Provider) -> None:
    response = sign_in_by_sso(client, idp)

    assert (response.status_code, response["Location"]) == (302, "/")
    wendy = User.objects.get(username="wendy")
    assert get_user(client) == wendy
    assert roles.role_of(wendy) == roles.REVIEWER
    assert wendy.email == "wendy@example.com"
    assert not wendy.has_usable_password()
    assert client.get("/annotations").status_code == 200


def test_it_writes_that_into_the_history(client: Client, idp: Provider) -> None:
    sign_in_by_sso(client, idp)

    events = {event.action: event for event in Event.objects.about("people/wendy")}
    assert {"person.added", "role.given"} <= events.keys()
    assert {event.note for event in events.values()} == {"by the groups of Our house"}
    assert {event.origin for event in events.values()} == {"web"}


def test_it_knows_the_person_again_whatever_name_and_address_say(
    client: Client, idp: Provider
) -> None:
    sign_in_by_sso(client, idp)

    sign_in_by_sso(Client(), idp, preferred_username="gwendolyn", email="other@example.com")

    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["heads"], "admin"),
        (["writers", "heads"], "admin"),
        (["heads", "writers", "x"], "admin"),
        ("heads", "admin"),
    ],
)
def test_it_brings_the_role_in_line_at_each_sign_in(
    client: Client, idp: Provider, adam: User, groups: Any, role: str
) -> None:
    sign_in_by_sso(client, idp)

    sign_in_by_sso(Client(), idp, groups=groups)

    assert roles.role_of(User.objects.get(username="wendy")) == role
    assert [e.action for e in Event.objects.about("people/wendy")][:2] == [
        "role.given",
        "role.taken",
    ]


def test_it_reads_groups_from_a_nested_claim(
    client: Client, idp: Provider, settings: Settings
) -> None:
    settings.OIDC_GROUPS_CLAIM = "realm_access.roles"

    sign_in_by_sso(client, idp, groups=None, realm_access={"roles": ["writers"]})

    assert roles.role_of(User.objects.get(username="wendy")) == roles.REVIEWER


@pytest.mark.parametrize(
    "groups", [[], ["strangers"], None, "Writers", {"writers": True}, 7, [["writers"]]]
)
def test_it_lets_nobody_in_without_a_mapped_group(
    client: Client, idp: Provider, groups: Any
) -> None:
    response = sign_in_by_sso(client, idp, groups=groups)

    assert response.status_code == 403
    assert "You have no role here" in response.content.decode()
    assert not get_user(client).is_authenticated
    assert not User.objects.exists()


def test_it_locks_out_whoever_lost_the_last_mapped_group(client: Client, idp: Provider) -> None:
    sign_in_by_sso(client, idp)

    response = sign_in_by_sso(other := Client(), idp, groups=["strangers"])

    assert response.status_code == 403
    assert not get_user(other).is_authenticated


def test_it_turns_the_last_admin_away_whose_groups_say_less(client: Client, idp: Provider) -> None:
    sign_in_by_sso(Client(), idp, groups=["heads"])

    response = sign_in_by_sso(client, idp, groups=["writers"])

    assert response.status_code == 403
    assert "You are the last admin" in response.content.decode()
    assert not get_user(client).is_authenticated
    assert roles.role_of(User.objects.get(username="wendy")) == roles.ADMIN


def test_it_takes_the_role_of_admin_away_where_there_is_another(
    client: Client, idp: Provider, adam: User
) -> None:
    sign_in_by_sso(Client(), idp, groups=["heads"])

    sign_in_by_sso(client, idp, groups=["writers"])

    assert roles.role_of(User.objects.get(username="wendy")) == roles.REVIEWER


def test_it_refuses_a_deactivated_person_and_changes_nothing(client: Client, idp: Provider) -> None:
    sign_in_by_sso(Client(), idp)
    User.objects.update(is_active=False)

    response = sign_in_by_sso(client, idp, groups=["heads"])

    assert response["Location"] == "/accounts/inactive/"
    assert not get_user(client).is_authenticated
    assert roles.role_of(User.objects.get(username="wendy")) == roles.REVIEWER


def test_it_matches_a_verified_address_and_voids_the_password(
    client: Client, idp: Provider, carol: User
) -> None:
    sign_in_by_sso(client, idp, email="CAROL@example.com")

    assert get_user(client) == carol
    carol.refresh_from_db()
    assert not carol.has_usable_password()
    assert SocialAccount.objects.get().user == carol


def test_it_ends_the_sessions_of_whoever_held_the_password(
    client: Client, idp: Provider, carol: User
) -> None:
    holder = Client()
    sign_in_with_password(holder)

    sign_in_by_sso(client, idp, email="carol@example.com")

    assert holder.get("/preferences").status_code == 302


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_it_matches_no_address_that_is_not_verified(
    client: Client, idp: Provider, carol: User, verified: Any
) -> None:
    sign_in_by_sso(client, idp, email="carol@example.com", email_verified=verified)

    assert get_user(client).get_username() == "wendy"
    assert User.objects.get(username="wendy").email == ""
    carol.refresh_from_db()
    assert carol.check_password(PASSWORD)


def test_it_does_not_match_somebody_who_came_as_another_before(
    client: Client, idp: Provider
) -> None:
    sign_in_by_sso(Client(), idp)

    response = sign_in_by_sso(client, idp, sub="w-2", preferred_username="wendy2")

    assert response.status_code == 403
    assert not get_user(client).is_authenticated


def test_it_does_not_let_a_deactivated_person_in_through_the_address(
    client: Client, idp: Provider, carol: User
) -> None:
    User.objects.update(is_active=False)

    assert sign_in_by_sso(client, idp, email="carol@example.com").status_code == 403


def test_it_says_so_when_the_person_gives_up(client: Client, idp: Provider) -> None:
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]

    response = client.get(
        f"/accounts/sso/login/callback/?error=access_denied&state={state}", follow=True
    )

    assert "You are not signed in" in response.content.decode()


def test_it_asks_before_it_goes_when_it_was_only_a_link(client: Client, idp: Provider) -> None:
    response = client.get("/accounts/sso/login/")

    assert response.status_code == 200
    assert "Sign in with Our house" in response.content.decode()


@pytest.mark.parametrize(
    "more", ["?process=connect", "?process=redirect&next=https://evil.example", "?scope=admin"]
)
def test_it_lets_the_address_bar_change_nothing(client: Client, idp: Provider, more: str) -> None:
    idp.who = WENDY
    location = client.post(f"/accounts/sso/login/{more}")["Location"]

    response = come_back(client, location)

    assert set(parse_qs(urlsplit(location).query)["scope"][0].split()) == {
        "openid",
        "profile",
        "email",
    }
    assert response["Location"] == "/"
    assert get_user(client).get_username() == "wendy"


def test_it_goes_back_to_where_one_was(client: Client, idp: Provider) -> None:
    idp.who = WENDY
    location = client.post("/accounts/sso/login/", {"next": "/preferences?from=mail"})["Location"]

    assert come_back(client, location)["Location"] == "/preferences?from=mail"
