"""Invitations: a link for one address and role, good once, of which only a digest is stored."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from reviewapp.accounts import roles, services
from reviewapp.accounts.exceptions import InvalidLink
from reviewapp.accounts.models import Link, User
from reviewapp.accounts.people import invitations
from reviewapp.audit.models import Event
from tests.people import PASSWORD, make_person, sign_in_with_password, signed_in

pytestmark = pytest.mark.usefixtures("quick_hashing")

GOOD = {"username": "nina", "password1": PASSWORD, "password2": PASSWORD}


def invited(client: Client, email: str = "nina@example.com", role: str = roles.LEAD) -> str:
    """Invite by the page; return the path of the link that it shows."""
    page = client.post("/people/invite", {"email": email, "role": role})
    assert page.status_code == 200, page.context["form"].errors
    match = re.search(r'value="http://testserver(/join/[\w-]+)"', page.content.decode())
    assert match
    return match.group(1)


def test_it_lets_the_invited_person_in_with_the_role_and_address(adam_client: Client) -> None:
    link = invited(adam_client)

    guest = Client()
    assert "as lead" in guest.get(link).content.decode()
    assert guest.post(link, GOOD)["Location"] == "/accounts/login/"
    sign_in_with_password(guest, login="nina@example.com")

    nina = User.objects.get(username="nina")
    assert (nina.email, roles.role_of(nina)) == ("nina@example.com", roles.LEAD)
    assert guest.get("/history").status_code == 200


def test_it_keeps_no_secret(adam_client: Client) -> None:
    secret = invited(adam_client).rpartition("/")[2]

    row = Link.objects.values().get()
    assert secret not in str(row)
    assert len(row["digest"]) == 64
    assert secret not in adam_client.get("/people").content.decode()


def test_it_is_good_once(adam_client: Client) -> None:
    link = invited(adam_client)
    Client().post(link, GOOD)

    again = Client().post(link, {**GOOD, "username": "mallory"})

    assert again.status_code == 404
    assert "This link is not valid" in again.content.decode()
    assert not User.objects.filter(username="mallory").exists()


def test_it_runs_out(adam_client: Client) -> None:
    link = invited(adam_client)
    Link.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert Client().get(link).status_code == 404
    assert Client().post(link, GOOD).status_code == 404
    assert "Expired" in adam_client.get("/people").content.decode()


def test_it_lasts_a_week(adam_client: Client) -> None:
    invited(adam_client)

    link = Link.objects.get()
    assert link.expires_at - link.made_at == pytest.approx(
        timedelta(days=7), abs=timedelta(minutes=1)
    )


def test_it_can_be_withdrawn(adam_client: Client) -> None:
    link = invited(adam_client)

    adam_client.post(f"/people/links/{Link.objects.get().pk}/withdraw")

    assert Client().post(link, GOOD).status_code == 404
    assert "nina@example.com" not in [
        invitation.email for invitation in adam_client.get("/people").context["invitations"]
    ]
    assert adam_client.post("/people/links/999999/withdraw").status_code == 404


def test_it_replaces_an_earlier_one_for_the_same_address(adam_client: Client) -> None:
    first = invited(adam_client)

    second = invited(adam_client, email="Nina@example.com", role=roles.REVIEWER)

    assert Client().get(first).status_code == 404
    assert Client().post(second, GOOD).status_code == 302
    assert roles.role_of(User.objects.get(username="nina")) == roles.REVIEWER


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"email": "nina@example.com"},
        {"email": "nina@example.com", "role": "boss"},
        {"email": "nina@example.com", "role": ""},
        {"email": "no address", "role": "lead"},
        {"email": "", "role": "lead"},
        {"email": "ADAM@example.com", "role": "lead"},
        {"email": "a\0@example.com", "role": "lead"},
        {"email": "x" * 400 + "@example.com", "role": "lead"},
    ],
)
def test_it_refuses_to_invite_nobody_or_somebody_who_is_here(
    adam_client: Client, fields: dict[str, str]
) -> None:
    response = adam_client.post("/people/invite", fields)

    assert response.status_code == 422
    assert "field-error" in response.content.decode()
    assert not Link.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "ADAM"}, "username"),
        ({"username": "ni na"}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"password2": "other"}, "password2"),
        ({"password1": "short", "password2": "short"}, "password1"),
        ({"password1": "12345678901", "password2": "12345678901"}, "password1"),
        (
            {"username": "nightingale", "password1": "nightingale", "password2": "nightingale"},
            "password1",
        ),
        ({"password1": "", "password2": ""}, "password1"),
    ],
)
def test_it_says_at_the_field_what_does_not_do_and_stays_good(
    adam_client: Client, changed: dict[str, str], field: str
) -> None:
    link = invited(adam_client)

    response = Client().post(link, GOOD | changed)

    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert PASSWORD not in response.content.decode()
    assert Client().post(link, GOOD).status_code == 302


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"password1": "12345678", "password2": "12345678"}, "password1"),
        ({"username": "nina", "password1": "nina", "password2": "nina"}, "password1"),
        ({"password1": "", "password2": ""}, "password1"),
        ({"password1": ""}, "password1"),
        ({"password2": ""}, "password2"),
        ({"password1": "x" * 1001, "password2": "x" * 1001}, "password1"),
    ],
)
def test_it_says_one_fault_once(adam_client: Client, changed: dict[str, str], field: str) -> None:
    page = Client().post(invited(adam_client), GOOD | changed)

    assert page.status_code == 422
    assert page.content.decode().count("field-error") == 1
    assert list(page.context["form"].errors) == [field]


@pytest.mark.parametrize("changed", [{}, {"password2": ""}, {"password2": "other"}])
@pytest.mark.parametrize("name", ["", "ADAM"])
def test_it_says_once_that_both_passwords_are_to_be_typed_again(
    adam_client: Client, name: str, changed: dict[str, str]
) -> None:
    page = Client().post(invited(adam_client), GOOD | changed | {"username": name})

    assert set(page.context["form"].errors) - {"username"} == (
        {"password2"} if name and changed else {"password1"}
    )
    assert page.content.decode().count("Enter your password again, here and below.") == (
        not name or not changed
    )


def test_it_says_so_when_somebody_took_the_address_meanwhile(adam_client: Client) -> None:
    link = invited(adam_client)
    make_person("other", email="nina@example.com")

    response = Client().post(link, GOOD)

    assert response.status_code == 422
    assert "Somebody else signs in with nina@example.com" in response.content.decode()
    assert Link.objects.usable().exists()


def test_it_lets_nobody_ask_for_names_without_end(adam_client: Client) -> None:
    link = invited(adam_client)

    answers = [Client().post(link, {**GOOD, "username": "ADAM"}).status_code for _ in range(21)]

    assert answers == [422] * 20 + [429]
    assert Client().post(link, GOOD, REMOTE_ADDR="192.0.2.7").status_code == 302


@pytest.mark.parametrize("secret", ["x", "a" * 43, "%00", "%C3%A9", "x" * 5000])
def test_it_opens_for_no_guess(client: Client, db: None, secret: str) -> None:
    assert client.get(f"/join/{secret}").status_code == 404
    assert client.get(f"/new-password/{secret}").status_code == 404


def test_it_does_not_open_the_other_kind(adam_client: Client, alice: User, adam: User) -> None:
    invitation = invited(adam_client).rpartition("/")[2]
    _, secret = invitations.new_password_link(alice, actor=adam)

    assert Client().get(f"/new-password/{invitation}").status_code == 404
    assert Client().get(f"/join/{secret}").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_it_lets_one_of_two_in_who_use_it_at_once() -> None:
    link, _ = invitations.invite(
        email="nina@example.com", role=roles.REVIEWER, actor=make_person("ada", roles.ADMIN)
    )
    start = Barrier(2)

    def accept(name: str) -> str:
        start.wait()
        try:
            return invitations.accept(link, username=name, password=PASSWORD).username
        except InvalidLink:
            return "spent"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(accept, ["nina", "nora"]))

    assert outcomes.count("spent") == 1
    assert User.objects.count() == 2


def test_it_mails_the_link_when_there_is_a_mail_server(
    adam_client: Client, settings: Settings
) -> None:
    settings.EMAIL_HOST = "mail.example"

    link = invited(adam_client)

    (sent,) = mail.outbox
    assert sent.to == ["nina@example.com"]
    assert f"http://testserver{link}" in sent.body
    assert "adam invites you to reviewapp, as lead" in sent.body


def test_it_mails_nothing_without_one(adam_client: Client) -> None:
    invited(adam_client)

    assert mail.outbox == []


def test_it_says_so_when_the_mail_server_does_not_take_it(
    adam_client: Client, settings: Settings
) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", 1, False
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

    page = adam_client.post("/people/invite", {"email": "nina@example.com", "role": "lead"})

    assert page.status_code == 200
    assert "The mail server did not accept the mail" in page.content.decode()


@pytest.mark.parametrize("name", ["alice", "lena", "stranger"])
def test_it_is_for_admins_in_the_services_too(name: str, request: pytest.FixtureRequest) -> None:
    actor: User = request.getfixturevalue(name)

    with pytest.raises(PermissionDenied):
        invitations.invite(email="nina@example.com", role=roles.REVIEWER, actor=actor)
    with pytest.raises(PermissionDenied):
        invitations.new_password_link(actor, actor=actor)


@pytest.mark.parametrize("loss", ["deactivated", "demoted", "deactivated in the database"])
@pytest.mark.parametrize("kind", ["invitation", "password"])
def test_it_opens_nothing_once_its_maker_is_no_admin(adam: User, kind: str, loss: str) -> None:
    boss = make_person("boss", roles.ADMIN)
    if kind == "invitation":
        _, secret = invitations.invite(email="me@example.com", role=roles.ADMIN, actor=adam)
        link = f"/join/{secret}"
    else:
        _, secret = invitations.new_password_link(boss, actor=adam)
        link = f"/new-password/{secret}"
    assert Client().get(link).status_code == 200

    if loss == "deactivated":
        services.deactivate(adam, actor=boss)
    elif loss == "demoted":
        roles.give_role(adam, roles.LEAD, actor=boss)
    else:
        User.people.filter(pk=adam.pk).update(is_active=False)

    assert Client().get(link).status_code == 404
    assert Client().post(link, GOOD).status_code == 404
    assert not User.objects.filter(username="nina").exists()
    assert not User.people.get(pk=boss.pk).has_usable_password()


@pytest.mark.parametrize("loss", ["deactivated", "demoted"])
def test_it_is_withdrawn_for_good_with_its_makers_rights(adam: User, loss: str) -> None:
    boss = make_person("boss", roles.ADMIN)
    boss_client = signed_in(boss)
    _, secret = invitations.invite(email="me@example.com", role=roles.ADMIN, actor=adam)

    if loss == "deactivated":
        services.deactivate(adam, actor=boss)
        services.reactivate(adam, actor=boss)
    else:
        roles.give_role(adam, roles.REVIEWER, actor=boss)
        roles.give_role(adam, roles.ADMIN, actor=boss)

    assert Client().get(f"/join/{secret}").status_code == 404
    assert "me@example.com" not in boss_client.get("/people").content.decode()
    withdrawn = Event.objects.get(action="link.withdrawn")
    assert withdrawn.actor_name == "boss"


def test_it_stays_good_while_its_makers_rights_stay(adam: User) -> None:
    boss = make_person("boss", roles.ADMIN)
    _, secret = invitations.invite(email="me@example.com", role=roles.ADMIN, actor=adam)

    roles.give_role(adam, roles.ADMIN, actor=boss)

    assert Client().get(f"/join/{secret}").status_code == 200


@pytest.mark.parametrize("kind", ["invitation", "password"])
def test_it_asks_an_admin_for_the_password_again(carol: User, alice: User, kind: str) -> None:
    roles.give_role(carol, roles.ADMIN, actor=None)
    client = Client()
    sign_in_with_password(client)
    path = "/people/invite" if kind == "invitation" else f"/people/{alice.pk}/password-link"
    sent = {"email": "nina@example.com", "role": roles.ADMIN}

    asked = client.post(path, sent)

    assert asked["Location"].startswith("/accounts/reauthenticate/?next=")
    assert not Link.objects.exists()
    answer = {"password": PASSWORD, "next": path}
    assert client.post("/accounts/reauthenticate/", answer | {"password": "x"}).status_code == 422
    assert not Link.objects.exists()
    made = client.post("/accounts/reauthenticate/", answer)
    assert "http://testserver/" in made.content.decode()
    assert Link.objects.count() == 1
    assert client.post("/accounts/reauthenticate/", answer, follow=True).status_code == 200
    assert Link.objects.count() == 1
