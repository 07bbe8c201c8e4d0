"""Whoever loses the role or the sign-in holds no items from then on: others get them at once."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client

from reviewapp.accounts import roles, services
from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Lease
from tests.factories import make_annotation, make_lease
from tests.people import signed_in

pytestmark = pytest.mark.django_db


def held_by(person: User) -> list[Annotation]:
    return [lease.annotation for lease in Lease.objects.filter(holder=person)]


def test_it_ends_with_the_role_that_an_admin_takes(adam_client: Client, alice: User) -> None:
    make_lease(make_annotation(), alice)
    make_lease(make_annotation(), alice)

    adam_client.post(f"/people/{alice.pk}/role", {"role": ""})

    assert roles.role_of(alice) == ""
    assert held_by(alice) == []


def test_it_ends_with_the_sign_in(adam_client: Client, alice: User, bob: User) -> None:
    annotation = make_annotation()
    others = make_annotation()
    make_lease(annotation, alice)
    make_lease(others, bob)

    adam_client.post(f"/people/{alice.pk}/deactivate")

    assert held_by(alice) == []
    assert held_by(bob) == [others]
    given = signed_in(bob).get("/annotations/next")
    assert given["Location"].startswith(f"/annotations/{annotation.pk}")


@pytest.mark.parametrize("role", [roles.LEAD, roles.ADMIN])
def test_it_stays_with_another_role_that_decides(alice: User, adam: User, role: str) -> None:
    annotation = make_annotation()
    make_lease(annotation, alice)

    roles.give_role(alice, role, actor=adam)
    roles.give_role(alice, roles.REVIEWER, actor=None)

    assert held_by(alice) == [annotation]


def test_it_stays_if_the_change_is_not_committed(alice: User, adam: User) -> None:
    annotation = make_annotation()
    make_lease(annotation, alice)

    with transaction.atomic():
        services.deactivate(alice, actor=adam)
        transaction.set_rollback(True)

    assert held_by(alice) == [annotation]


def test_it_is_not_given_back_with_the_sign_in(alice: User, adam: User) -> None:
    make_lease(make_annotation(), alice)

    services.deactivate(alice, actor=adam)
    services.reactivate(alice, actor=adam)

    assert held_by(alice) == []
