"""Changing one's own password."""

from __future__ import annotations

import pytest
from django.test import Client

from reviewapp.accounts.models import User
from tests.people import PASSWORD, sign_in_with_password

URL = "/accounts/password/change/"
NEW = "nine-blue-umbrellas"


def test_it_changes_the_password_and_keeps_one_signed_in(carol_client: Client, carol: User) -> None:
    response = carol_client.post(
        URL, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}, follow=True
    )

    assert response.redirect_chain == [("/preferences", 302)]
    assert "Password changed" in response.content.decode()
    carol.refresh_from_db()
    assert carol.check_password(NEW)


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("wrong", NEW, NEW),
        (PASSWORD, NEW, "other"),
        (PASSWORD, "short", "short"),
        (PASSWORD, "", ""),
        ("", NEW, NEW),
    ],
)
def test_it_refuses_and_changes_nothing(
    carol_client: Client, carol: User, old: str, new: str, again: str
) -> None:
    response = carol_client.post(URL, {"oldpassword": old, "password1": new, "password2": again})

    assert response.status_code == 422
    assert "field-error" in response.content.decode()
    carol.refresh_from_db()
    assert carol.check_password(PASSWORD)


def test_it_ends_the_persons_other_sessions(carol_client: Client, carol: User) -> None:
    elsewhere = Client()
    sign_in_with_password(elsewhere)
    assert elsewhere.get("/preferences").status_code == 200

    carol_client.post(URL, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})

    assert elsewhere.get("/preferences").status_code == 302
    assert carol_client.get("/preferences").status_code == 200


def test_it_is_not_there_for_somebody_without_a_password(client: Client, alice: User) -> None:
    client.force_login(alice)

    assert client.get(URL).status_code == 404
    assert URL not in client.get("/preferences").content.decode()
