"""Whatever is done to people is history: by a page, by the command line, by SQL; never a secret."""

from __future__ import annotations

import json

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test import Client

from reviewapp.accounts import roles, services
from reviewapp.accounts import services as accounts_services
from reviewapp.accounts.models import User
from reviewapp.accounts.people import invitations
from reviewapp.audit.models import Event
from reviewapp.audit.presenters.timeline import timeline
from tests.accounts.totp import code
from tests.people import PASSWORD, sign_in_with_password


def event_rows(ref: str) -> list[tuple[str, str, str]]:
    """Return who did what through which door, oldest first."""
    return [(e.actor_name, e.action, e.origin) for e in reversed(Event.objects.about(ref))]


def test_it_tells_a_change_of_role_as_one_sentence(client: Client, adam: User, alice: User) -> None:
    client.force_login(adam)
    client.post(f"/people/{alice.pk}/role", {"role": roles.LEAD})

    entry = timeline("people/alice")[0]
    assert (entry.who, entry.origin) == ("adam", "web")
    assert entry.sentence == "removed the role “reviewer” and gave the role “lead”"
    assert [(diff.name, diff.old, diff.new) for diff in entry.diffs] == [
        ("role", "reviewer", "lead")
    ]


def test_it_tells_when_somebody_was_switched_off_and_on(adam: User, alice: User) -> None:
    accounts_services.deactivate(alice, actor=adam)
    accounts_services.reactivate(alice, actor=adam)

    assert event_rows("people/alice")[-2:] == [
        ("adam", "person.deactivated", "shell"),
        ("adam", "person.reactivated", "shell"),
    ]


def test_it_writes_nothing_when_nothing_changed(adam: User, alice: User) -> None:
    before = Event.objects.count()

    roles.give_role(alice, roles.REVIEWER, actor=adam)
    accounts_services.reactivate(alice, actor=adam)
    User.objects.filter(pk=alice.pk).update(theme="dark", last_login=None, last_active=None)

    assert Event.objects.count() == before


@pytest.mark.usefixtures("quick_hashing")
def test_it_tells_of_an_invitation_from_making_to_joining(adam: User) -> None:
    link, _ = invitations.invite(email="nina@example.com", role=roles.LEAD, actor=adam)
    invitations.accept(link, username="nina", password=PASSWORD)

    assert event_rows(f"invitations/{link.pk}") == [("adam", "invitation.made", "shell")]
    assert [action for _, action, _ in event_rows("people/nina")] == [
        "person.added",
        "role.given",
        "invitation.accepted",
    ]
    nina = User.objects.get(username="nina")
    assert {(e.actor_id, e.actor_name) for e in Event.objects.about("people/nina")} == {
        (nina.pk, "nina")
    }
    assert Event.objects.about("people/nina").get(action="person.added").note == "invited by adam"
    assert timeline(f"invitations/{link.pk}")[0].sentence == "invited “nina@example.com”"


@pytest.mark.usefixtures("quick_hashing")
def test_it_tells_joining_as_the_deed_of_who_joined(client: Client, adam: User) -> None:
    _, secret = invitations.invite(email="nina@example.com", role=roles.LEAD, actor=adam)
    client.post(
        f"/join/{secret}", {"username": "nina", "password1": PASSWORD, "password2": PASSWORD}
    )

    entry = timeline("people/nina")[0]
    assert (entry.who, entry.origin, entry.note) == ("nina", "web", "invited by adam")
    assert entry.sentence == "joined, got the role “lead” and accepted the invitation"
    assert len(timeline("people/nina")) == 1


@pytest.mark.usefixtures("quick_hashing")
def test_it_tells_of_a_link_for_a_new_password(adam: User, alice: User) -> None:
    invitations.new_password_link(alice, actor=adam)
    other, _ = invitations.new_password_link(alice, actor=adam)
    invitations.set_password(other, password=PASSWORD)

    assert event_rows("people/alice")[-5:] == [
        ("adam", "password_link.made", "shell"),
        ("adam", "link.withdrawn", "shell"),
        ("adam", "password_link.made", "shell"),
        ("alice", "password_link.used", "shell"),
        ("alice", "password.changed", "shell"),
    ]


def test_it_tells_of_second_factors_as_their_owners_deed(client: Client, carol: User) -> None:
    sign_in_with_password(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})

    assert set(event_rows("people/carol")[-2:]) == {("carol", "factor.added", "web")}


def test_it_tells_what_was_done_by_sql(alice: User) -> None:
    lead = Group.objects.get(name=roles.LEAD).pk
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET is_superuser = true WHERE id = %s", [alice.pk])
        cursor.execute(
            "INSERT INTO accounts_user_groups (user_id, group_id) VALUES (%s, %s)", [alice.pk, lead]
        )
        cursor.execute("DELETE FROM accounts_user_groups WHERE user_id = %s", [alice.pk])

    events = list(reversed(Event.objects.about("people/alice")))[-4:]
    assert [(e.action, e.origin) for e in events] == [
        ("person.changed", "sql"),
        ("role.given", "sql"),
        ("role.taken", "sql"),
        ("role.taken", "sql"),
    ]
    assert events[0].changes == {"is_superuser": [None, True]}
    assert events[1].changes == {"role": [None, "lead"]}


def test_it_tells_a_new_name_under_the_new_name(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(username="alicia")

    event = Event.objects.about("people/alicia")[0]
    assert (event.action, event.changes) == ("person.renamed", {"username": ["alice", "alicia"]})


@pytest.mark.usefixtures("quick_hashing")
def test_it_holds_no_secret(adam: User) -> None:
    user = services.create_person(
        username="dora", email="dora@example.com", password=PASSWORD, role=roles.LEAD, actor=adam
    )
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    _, invitation = invitations.invite(email="nina@example.com", role=roles.LEAD, actor=adam)
    _, new_password = invitations.new_password_link(user, actor=adam)
    user.set_password("nine-blue-umbrellas")
    user.save()

    text = json.dumps([[event.changes, event.note] for event in Event.objects.all()])
    for secret in (PASSWORD, "JBSWY3DPEHPK3PXP", invitation, new_password, user.password, "md5$"):
        assert secret not in text


@pytest.mark.usefixtures("quick_hashing")
def test_it_tells_of_people_made_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSON_PASSWORD", PASSWORD)

    call_command("create_person", "dora", role="admin", verbosity=0)

    assert event_rows("people/dora") == [("", "person.added", "shell"), ("", "role.given", "shell")]


def test_it_leads_from_the_history_to_the_person(client: Client, adam: User, alice: User) -> None:
    client.force_login(adam)
    accounts_services.deactivate(alice, actor=adam)

    assert '/people?search=alice"' in client.get("/history").content.decode()
    assert client.get("/by-ref?ref=people/alice")["Location"] == "/people?search=alice"
    assert "deactivated the person" in client.get(f"/people/{alice.pk}").content.decode()


def test_it_shows_leads_the_history_without_a_way_they_may_not_go(
    client: Client, lena: User, adam: User, alice: User
) -> None:
    client.force_login(lena)
    accounts_services.deactivate(alice, actor=adam)

    assert "/people?search" not in client.get("/history").content.decode()
