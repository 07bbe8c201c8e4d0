"""The three roles: made by migrate, whatever the order; given by those who manage people."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db.migrations.state import ProjectState

from reviewapp.accounts import roles
from reviewapp.accounts.models import User


def held_by(role: str) -> set[str]:
    rows = Permission.objects.filter(group__name=role).values_list(
        "content_type__app_label", "codename"
    )
    return {f"{app}.{code}" for app, code in rows}


@pytest.mark.django_db
@pytest.mark.parametrize("role", roles.PERMISSIONS)
def test_it_gives_each_role_exactly_its_permissions(role: str) -> None:
    assert held_by(role) == set(roles.PERMISSIONS[role])


def test_it_lets_a_lead_do_what_a_reviewer_may_and_an_admin_all(
    alice: User, lena: User, adam: User
) -> None:
    assert alice.get_all_permissions() < lena.get_all_permissions() < adam.get_all_permissions()
    assert not alice.has_perm("audit.view_event")
    assert not lena.has_perm("retrievers.change_retriever")


@pytest.mark.django_db
def test_it_makes_the_groups_before_django_made_the_permissions() -> None:
    Group.objects.all().delete()
    Permission.objects.all().delete()

    roles.sync_groups(sender=None)

    assert held_by(roles.ADMIN) == set(roles.PERMISSIONS[roles.ADMIN])


@pytest.mark.django_db
def test_it_mends_a_group_that_somebody_changed() -> None:
    group = Group.objects.get(name=roles.REVIEWER)
    group.permissions.set(Permission.objects.filter(codename="add_user"))

    call_command("migrate", verbosity=0)

    assert held_by(roles.REVIEWER) == set(roles.PERMISSIONS[roles.REVIEWER])


@pytest.mark.django_db
def test_it_leaves_other_groups_alone() -> None:
    other = Group.objects.create(name="guests")

    roles.sync_groups()
    roles.sync_groups()

    assert list(Group.objects.exclude(name__in=roles.PERMISSIONS)) == [other]
    assert Group.objects.count() == len(roles.PERMISSIONS) + 1


@pytest.mark.django_db
def test_it_waits_while_auth_is_not_migrated() -> None:
    Group.objects.all().delete()

    roles.sync_groups(apps=ProjectState().apps)

    assert not Group.objects.exists()


def test_it_replaces_the_role(alice: User, adam: User) -> None:
    guests = Group.objects.create(name="guests")
    alice.groups.add(guests)

    roles.give_role(alice, roles.LEAD, actor=adam)

    assert roles.role_of(alice) == roles.LEAD
    assert set(alice.groups.values_list("name", flat=True)) == {roles.LEAD, "guests"}


def test_it_takes_the_role_away(alice: User) -> None:
    roles.give_role(alice, "", actor=None)

    assert roles.role_of(alice) == ""


@pytest.mark.parametrize("name", ["alice", "lena", "stranger"])
def test_it_lets_nobody_promote_themselves(name: str, request: pytest.FixtureRequest) -> None:
    person: User = request.getfixturevalue(name)
    before = roles.role_of(person)

    with pytest.raises(PermissionDenied):
        roles.give_role(person, roles.ADMIN, actor=person)

    assert roles.role_of(person) == before


def test_it_knows_no_other_role(alice: User) -> None:
    with pytest.raises(ValueError, match="'boss' is no role; the roles are reviewer, lead, admin"):
        roles.give_role(alice, "boss", actor=None)


def test_it_names_the_roles_that_hold_a_permission() -> None:
    assert roles.roles_with("audit.view_event") == [roles.LEAD, roles.ADMIN]
    assert roles.roles_with("no.such") == []


@pytest.mark.django_db
def test_it_names_only_permissions_that_exist() -> None:
    known = {
        f"{p.content_type.app_label}.{p.codename}"
        for p in Permission.objects.select_related("content_type")
    }

    assert set(roles.PERMISSIONS[roles.ADMIN]) <= known


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("by the groups of Our house", "role lead given to alice: by the groups of Our house"),
        ("", "role lead given to alice: from the command line"),
    ],
)
def test_it_logs_why(alice: User, caplog: pytest.LogCaptureFixture, note: str, words: str) -> None:
    with caplog.at_level("INFO", logger="reviewapp.accounts.roles"):
        roles.give_role(alice, roles.LEAD, actor=None, note=note)

    assert words in caplog.messages


def test_it_logs_who(alice: User, adam: User, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="reviewapp.accounts.roles"):
        roles.give_role(alice, "", actor=adam)

    assert "role (none) given to alice: by adam" in caplog.messages
