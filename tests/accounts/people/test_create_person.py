"""`create_person`: a real sign-in, with a password that no process list shows."""

from __future__ import annotations

import io
import sys

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command

from reviewapp.accounts import roles, services
from reviewapp.accounts.models import User
from tests.people import PASSWORD

pytestmark = pytest.mark.usefixtures("carol")


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_it_reads_the_password_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, f"{PASSWORD}\n")

    call_command(
        "create_person", "dora", role="lead", email="Dora@EXAMPLE.com", stdout=io.StringIO()
    )

    dora = User.objects.get(username="dora")
    assert dora.check_password(PASSWORD)
    assert roles.role_of(dora) == roles.LEAD
    assert dora.email == "Dora@example.com"


def test_it_reads_the_password_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSON_PASSWORD", PASSWORD)

    call_command("create_person", "dora", role="admin", stdout=io.StringIO())

    assert User.objects.get(username="dora").check_password(PASSWORD)


@pytest.mark.parametrize(
    ("username", "email", "password", "sentence"),
    [
        ("carol", "", PASSWORD, "carol is taken"),
        ("CAROL", "", PASSWORD, "CAROL is taken"),
        ("dora", "CAROL@example.com", PASSWORD, "Somebody else signs in with"),
        ("dora", "no address", PASSWORD, "valid email address"),
        ("do ra", "", PASSWORD, "valid username"),
        ("", "", PASSWORD, "cannot be blank"),
        ("x" * 151, "", PASSWORD, "at most 150"),
        ("do\0ra", "", PASSWORD, "valid username|Null characters"),
        ("dora", "", "", "too short"),
        ("dora", "", "1234567890123", "entirely numeric"),
        ("dora", "", "password1", "too common"),
        ("doradora", "", "doradora", "too similar"),
    ],
)
def test_it_refuses_in_a_sentence_and_makes_nobody(
    monkeypatch: pytest.MonkeyPatch, username: str, email: str, password: str, sentence: str
) -> None:
    typed(monkeypatch, password)

    with pytest.raises(CommandError, match=sentence):
        call_command("create_person", username, role="reviewer", email=email)

    assert User.objects.count() == 1


def test_it_knows_only_the_three_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, PASSWORD)

    with pytest.raises(CommandError, match="invalid choice: 'boss'"):
        call_command("create_person", "dora", "--role", "boss")


def test_it_takes_no_password_as_an_argument() -> None:
    with pytest.raises(CommandError, match="unrecognized arguments"):
        call_command("create_person", "dora", "--role", "lead", "--password", PASSWORD)


def test_it_is_for_those_who_manage_people(carol: User) -> None:
    with pytest.raises(PermissionDenied):
        services.create_person(
            username="dora", email="", password=PASSWORD, role="reviewer", actor=carol
        )


def test_it_makes_nobody_when_the_role_is_unknown() -> None:
    with pytest.raises(ValueError, match="is no role"):
        services.create_person(
            username="dora", email="", password=PASSWORD, role="boss", actor=None
        )

    assert not User.objects.filter(username="dora").exists()


def test_it_lets_several_people_have_no_address() -> None:
    for name in ("dora", "emil"):
        services.create_person(
            username=name, email="", password=PASSWORD, role="reviewer", actor=None
        )

    with pytest.raises(ValidationError, match="taken"):
        services.create_person(
            username="emil", email="", password=PASSWORD, role="reviewer", actor=None
        )
