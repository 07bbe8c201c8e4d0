"""Single sign-on: a provider whose answer does not end keeps nobody waiting."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user
from django.test import Client
from pytest_django import Settings

from tests.accounts.idp import Provider
from tests.accounts.sso_steps import WENDY, begin, come_back, sign_in_by_sso

WRONG = "The sign-in failed"


# In seconds: longer than between two bytes of the provider.
IMPATIENT = 0.2


@pytest.mark.parametrize("path", ["/userinfo", "/keys", "/token"])
def test_the_callback_gives_up_on_an_answer_that_drips(
    client: Client, idp: Provider, settings: Settings, path: str
) -> None:
    idp.who = WENDY
    location = begin(client)
    idp.dripping.add(path)
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = IMPATIENT

    response = come_back(client, location)

    assert response.status_code == 400
    assert WRONG in response.content.decode()
    assert not get_user(client).is_authenticated


def test_the_button_gives_up_on_a_discovery_that_drips(
    client: Client, idp: Provider, settings: Settings
) -> None:
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = IMPATIENT
    idp.dripping.add("/.well-known/openid-configuration")

    response = client.post("/accounts/sso/login/")

    assert response.status_code == 502
    assert WRONG in response.content.decode()


@pytest.mark.parametrize("path", ["/userinfo", "/keys", "/token"])
def test_the_callback_says_that_an_answer_broke_off(
    client: Client, idp: Provider, path: str
) -> None:
    idp.cut.add(path)

    response = sign_in_by_sso(client, idp)

    assert response.status_code == 400
    assert WRONG in response.content.decode()
