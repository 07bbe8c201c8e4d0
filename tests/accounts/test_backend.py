"""The person of a request, loaded together with what they may do."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.backend import OneQuery
from reviewapp.accounts.models import User
from reviewapp.accounts.roles import PERMISSIONS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", ["reviewer", "lead", "admin"])
def test_it_loads_a_person_with_their_permissions_in_few_queries(
    role: str,
    alice: User,
    lena: User,
    adam: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    person = {"reviewer": alice, "lead": lena, "admin": adam}[role]
    with django_assert_max_num_queries(2):
        loaded = OneQuery().get_user(person.pk)
        assert loaded == person
        assert loaded.get_all_permissions() == set(PERMISSIONS[role])


def test_it_loads_every_field_of_the_person(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    alice.undo_seconds = 7
    alice.key_map = {"undo": "z"}
    alice.last_active = timezone.now()
    alice.save()
    stored = User.objects.filter(pk=alice.pk).values().get()

    loaded = OneQuery().get_user(alice.pk)
    with django_assert_max_num_queries(0):
        assert {name: getattr(loaded, name) for name in stored} == stored


def test_it_knows_what_was_given_to_one_person_alone(stranger: User) -> None:
    stranger.user_permissions.add(Permission.objects.get(codename="view_event"))
    loaded = OneQuery().get_user(stranger.pk)
    assert loaded is not None
    assert loaded.get_all_permissions() == {"audit.view_event"}


def test_it_gives_a_deactivated_person_nothing(alice: User) -> None:
    loaded = OneQuery().get_user(alice.pk)
    assert loaded is not None
    loaded.is_active = False
    assert not loaded.has_perm("annotations.decide_annotation")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert OneQuery().get_user(alice.pk) is None


def test_it_asks_as_usual_for_whoever_was_loaded_otherwise(alice: User) -> None:
    assert User.objects.get(pk=alice.pk).has_perm("annotations.decide_annotation")


def test_it_follows_a_role_from_one_request_to_the_next(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/annotations").status_code == 200
    alice.groups.clear()
    assert client.get("/annotations").status_code == 403
