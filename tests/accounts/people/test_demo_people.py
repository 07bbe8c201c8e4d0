"""`demo_people`: three known sign-ins, never beside a real Mixpeek."""

from __future__ import annotations

import io

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.accounts.people import demo


@pytest.fixture(autouse=True)
def sandbox(settings: Settings, db: None) -> None:
    """A local sandbox is configured; hashing is fast; nobody has failed to sign in."""
    settings.MIXPEEK_API_KEY, settings.MIXPEEK_BASE_URL = "sk_sandbox", "http://127.0.0.1:8001"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


def run() -> str:
    out = io.StringIO()
    call_command("demo_people", stdout=out)
    return out.getvalue()


def test_it_makes_one_person_a_role_and_prints_them_once() -> None:
    output = run()

    for sign_in in demo.SIGN_INS:
        person = User.objects.get(username=sign_in.username)
        assert person.check_password(sign_in.password)
        assert roles.role_of(person) == sign_in.role
        assert f"{sign_in.username}  password: {sign_in.password}" in output
    assert {sign_in.role for sign_in in demo.SIGN_INS} == set(roles.PERMISSIONS)
    assert run() == ""


def test_it_changes_nothing_the_second_time() -> None:
    run()
    before = list(User.objects.order_by("pk").values())

    run()

    assert list(User.objects.order_by("pk").values()) == before


def test_it_mends_a_password_a_role_and_a_switch() -> None:
    run()
    lead = User.objects.get(username="lead")
    lead.set_password("another")
    lead.is_active = False
    lead.save()
    roles.give_role(User.objects.get(username="admin"), roles.REVIEWER, actor=None)

    output = run()

    assert [line.split()[0] for line in output.splitlines()] == ["lead", "admin"]
    assert User.objects.get(username="lead").check_password("lead-demo")
    assert User.objects.get(username="lead").is_active
    assert roles.role_of(User.objects.get(username="admin")) == roles.ADMIN


@pytest.mark.parametrize("host", ["127.0.0.1:8001", "localhost:9", "[::1]:9", "127.8.9.1"])
def test_it_works_beside_a_sandbox_on_this_machine(settings: Settings, host: str) -> None:
    settings.MIXPEEK_BASE_URL = f"http://{host}"

    assert demo.are_allowed()


@pytest.mark.parametrize(
    "host", ["api.mixpeek.com", "127.0.0.1.evil.example", "10.0.0.1", "localhost.example"]
)
def test_it_refuses_beside_a_real_mixpeek(settings: Settings, host: str) -> None:
    settings.MIXPEEK_BASE_URL = f"https://{host}"

    with pytest.raises(CommandError, match="create_person"):
        run()

    assert not User.objects.exists()


@pytest.mark.parametrize("each", demo.SIGN_INS, ids=lambda each: each.username)
def test_it_lets_demo_people_in_only_beside_a_sandbox(
    client: Client, settings: Settings, each: demo.SignIn
) -> None:
    run()
    fields = {"login": each.username, "password": each.password}

    settings.MIXPEEK_BASE_URL = "https://api.mixpeek.com"
    refused = client.post("/accounts/login/", fields)
    settings.MIXPEEK_BASE_URL = "http://127.0.0.1:8001"
    taken = client.post("/accounts/login/", fields)

    assert refused.status_code == 422
    assert "only with the sandbox" in refused.content.decode()
    assert taken.status_code == 302
