"""Names and addresses have one normal form, so nobody can look like somebody else."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from threading import Barrier

import pytest
from django.apps import apps
from django.contrib.auth import get_user
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.test import Client

from reviewapp.accounts import roles, services
from reviewapp.accounts.models import Link, User
from reviewapp.accounts.people import invitations
from reviewapp.accounts.people.normal_form import lookup_key
from tests.accounts.idp import Provider
from tests.accounts.sso_steps import sign_in_by_sso
from tests.people import PASSWORD, make_person, sign_in_with_password

_MIGRATION = import_module("reviewapp.accounts.migrations.0006_one_normal_form")

FULL_WIDTH = "\uff23\uff21\uff32\uff2f\uff2c"
LOOK_ALIKES = ["CAROL", "\uff23arol", FULL_WIDTH, "\U0001d41caro\u24db"]


def create(username: str, email: str = "") -> User:
    """Make a reviewer on the command line."""
    return services.create_person(
        username=username, email=email, password=PASSWORD, role=roles.REVIEWER, actor=None
    )


def test_it_is_stable_for_every_character() -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]

    keys = [lookup_key(character) for character in characters]

    assert [key for key in keys if lookup_key(key) != key] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("carol", "CAROL"),
        ("carol", FULL_WIDTH),
        ("stra\u00dfe", "STRASSE"),
        ("\u00e9", "e\u0301"),
        ("\u03c3", "\u03c2"),
    ],
)
def test_it_is_the_same_for_what_looks_the_same(one: str, other: str) -> None:
    assert lookup_key(one) == lookup_key(other)


@pytest.mark.parametrize("other", ["car\u043el", "carol1", "c\u0131rol"])
def test_it_differs_for_another_letter(other: str) -> None:
    assert lookup_key("carol") != lookup_key(other)


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_it_refuses_a_look_alike_of_a_name_and_locks_nobody_out(
    client: Client, carol: User, name: str
) -> None:
    link, secret = invitations.invite(
        email="nina@example.com", role=roles.REVIEWER, actor=make_person("ada", roles.ADMIN)
    )

    page = Client().post(
        f"/join/{secret}", {"username": name, "password1": PASSWORD, "password2": PASSWORD}
    )
    sign_in_with_password(client)

    assert page.status_code == 422
    assert "is taken" in page.context["form"].errors["username"][0]
    assert get_user(client) == carol
    assert Link.objects.usable().filter(pk=link.pk).exists()
    assert User.objects.count() == 2


@pytest.mark.slow
def test_it_lets_somebody_in_by_any_spelling(client: Client, db: None) -> None:
    create("\uff2eina", "Nina@B\u00dccher.example")

    for login in (
        "nina",
        "NINA",
        "\uff4eina",
        "nina@b\u00fccher.example",
        "NINA@B\u00dcCHER.EXAMPLE",
    ):
        sign_in_with_password(client, login)
        assert get_user(client).get_username() == "Nina"
        client.logout()


def test_it_refuses_a_name_that_grows_too_long_in_its_normal_form(db: None) -> None:
    with pytest.raises(ValidationError, match="at most 150"):
        create("\ufdfa" * 20)


@pytest.mark.parametrize(
    ("username", "email", "sentence"),
    [
        ("dora", "CAROL@EXAMPLE.COM", "Somebody else signs in with"),
        ("dora", "carol\uff20example.com", "Somebody else signs in with"),
        ("carol@example.com", "", "is taken"),
    ],
)
def test_it_refuses_an_address_of_somebody_else(
    carol: User, username: str, email: str, sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        create(username, email)


def test_it_refuses_to_invite_a_look_alike_of_an_address(adam_client: Client, carol: User) -> None:
    page = adam_client.post("/people/invite", {"email": "Carol@EXAMPLE.com", "role": "lead"})

    assert page.status_code == 422
    assert not Link.objects.exists()


def test_it_withdraws_the_invitation_of_the_same_address_in_another_spelling(adam: User) -> None:
    invitations.invite(email="nina@b\u00fccher.example", role=roles.LEAD, actor=adam)

    invitations.invite(email="Nina@B\u00dcCHER.example", role=roles.LEAD, actor=adam)

    assert [link.withdrawn_at is None for link in Link.objects.order_by("pk")] == [False, True]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "people",
    [[("nina", ""), ("NINA", "")], [("nina", "n@example.com"), ("nora", "N@example.com")]],
    ids=["name", "address"],
)
def test_it_lets_one_of_two_in_who_come_at_once(people: list[tuple[str, str]]) -> None:
    make_person("ada", roles.ADMIN)
    start = Barrier(2)

    def join(person: tuple[str, str]) -> str:
        start.wait()
        try:
            return create(*person).username
        except ValidationError:
            return "refused"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(join, people))

    assert outcomes.count("refused") == 1
    assert User.objects.count() == 2


@pytest.mark.parametrize(
    ("username", "email"),
    [("CAROL", "x@example.com"), ("dora", "CAROL@example.com")],
    ids=["name", "address"],
)
def test_it_is_held_by_the_database(carol: User, username: str, email: str) -> None:
    with pytest.raises(IntegrityError):
        make_person(username, email=email)


def test_it_follows_a_name_and_an_address_that_sql_writes(client: Client, carol: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_user SET username = 'Zora', email = 'Zora@Example.com' WHERE id = %s",
            [carol.pk],
        )

    for login in ("zora", "ZORA@example.com"):
        sign_in_with_password(client, login)
        assert get_user(client) == carol
        client.logout()


def test_it_gives_a_token_to_the_person_of_that_name(carol: User) -> None:
    call_command("create_token", FULL_WIDTH, stdout=io.StringIO(), stderr=io.StringIO())

    assert carol.api_tokens.count() == 1


def test_it_gives_a_new_person_of_the_single_sign_on_a_name_of_their_own(
    client: Client, idp: Provider
) -> None:
    make_person("wendy@example.com", email="")
    make_person("\uff37\uff25\uff2e\uff24\uff39", email="")

    sign_in_by_sso(client, idp, email="w@example.com")

    assert get_user(client).get_username() not in {"", "WENDY"}
    assert User.objects.count() == 3


@pytest.fixture
def before_the_keys(db: None) -> None:
    """The table as it was: two people could share a name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE accounts_user DROP CONSTRAINT one_person_a_name, DROP CONSTRAINT one_person_an_address,"
            " ALTER username_key DROP NOT NULL"
        )


def migrate() -> None:
    """Run the migration's own step on today's models, whose columns are the same."""
    with connection.schema_editor() as editor:
        _MIGRATION.fill_keys(apps, editor)


@pytest.mark.usefixtures("before_the_keys")
def test_it_gives_everybody_the_keys_at_an_upgrade() -> None:
    make_person("\u00c5sa", email="\u00c5sa@B\u00fccher.example")
    make_person("nobody", email="")
    User.objects.update(username_key=None, email_key=None)

    migrate()

    keys = User.objects.order_by("pk").values_list("username_key", "email_key")
    assert list(keys) == [("\u00e5sa", "\u00e5sa@b\u00fccher.example"), ("nobody", None)]


@pytest.mark.usefixtures("before_the_keys")
def test_it_says_who_collides_at_an_upgrade_and_changes_nothing() -> None:
    carol = make_person("carol")
    look_alike = make_person("\uff23arol", email="CAROL@example.com", is_active=False)
    namesake = make_person("dora", email="")
    User.objects.filter(pk=look_alike.pk).update(username="\uff23arol")
    User.objects.filter(pk=namesake.pk).update(username="Carol@example.com")
    User.objects.update(username_key=None, email_key=None)

    with pytest.raises(CommandError) as refused:
        migrate()

    sentence = str(refused.value)
    for person in (carol, look_alike, namesake):
        assert f"id {person.pk}," in sentence
    assert "deactivated" in sentence
    assert (
        f"UPDATE accounts_user SET username = 'another name' WHERE id = {namesake.pk};" in sentence
    )
    assert not User.objects.exclude(username_key=None, email_key=None).exists()


@pytest.mark.django_db
def test_nobody_has_what_the_database_cannot_search_for() -> None:
    create("carol", email="carol@example.com")

    assert not User.people.with_name("carol\x00").exists()
    assert not User.people.with_address("carol@example.com\x00").exists()
    assert not User.people.with_login("carol\ud800").exists()
