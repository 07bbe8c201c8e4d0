"""The people page: search, roles, and switching sign-ins off and on without locking all out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts import roles, services
from reviewapp.accounts.exceptions import ActionRefused, LastAdmin, SelfLockout
from reviewapp.accounts.models import User
from reviewapp.audit.models import Event
from tests.collapsed import collapsed
from tests.people import make_person, sign_in_with_password


def test_it_lists_everybody_with_role_and_state(
    adam_client: Client, alice: User, stranger: User
) -> None:
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    Authenticator.objects.create(user=alice, type="totp", data={})

    page = adam_client.get("/people")

    rows = {user.username: (user, role) for user, role in page.context["rows"]}
    assert {name: role for name, (_, role) in rows.items()} == {
        "adam": "admin",
        "alice": "reviewer",
        "stranger": "",
    }
    assert rows["alice"][0].has_second_factor
    assert not rows["adam"][0].has_second_factor
    text = collapsed(page)
    assert all(
        words in text
        for words in ("you · ", "No role", "Deactivated", "Password only", "Second factor")
    )


def test_it_costs_the_same_for_many(
    adam_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(60):
        make_person(f"p{number:02}", roles.REVIEWER)

    with django_assert_max_num_queries(9):
        page = adam_client.get("/people")

    assert len(page.context["rows"]) == 50
    second = adam_client.get(page.context["pager"].after)
    assert len(second.context["rows"]) == 11


@pytest.mark.parametrize("words", ["ALI", "alice@example", "Liddell"])
def test_it_finds_people_by_name_and_address(adam_client: Client, alice: User, words: str) -> None:
    User.objects.filter(pk=alice.pk).update(last_name="Liddell")

    page = adam_client.get("/people", {"search": words})

    assert [user.username for user, _ in page.context["rows"]] == ["alice"]


@pytest.mark.parametrize(
    ("words", "status"), [("%", 200), ("no\0body", 422), ("x" * 300, 422), ("<b>", 200)]
)
def test_it_takes_odd_words_as_they_are(adam_client: Client, words: str, status: int) -> None:
    page = adam_client.get("/people", {"search": words})

    assert page.status_code == status
    assert "<b>" not in collapsed(page)
    assert adam_client.get("/people", {"cursor": words}).status_code == 302


def test_it_answers_htmx_with_the_list_alone(adam_client: Client) -> None:
    part = collapsed(adam_client.get("/people", headers={"HX-Request": "true"}))

    assert part.startswith('<section id="people"')


@pytest.mark.parametrize("role", [roles.REVIEWER, roles.LEAD, roles.ADMIN, ""])
def test_it_gives_a_role(adam_client: Client, alice: User, role: str) -> None:
    response = adam_client.post(f"/people/{alice.pk}/role", {"role": role})

    assert response["Location"] == f"/people/{alice.pk}"
    assert roles.role_of(alice) == role


def test_it_knows_no_other_role(adam_client: Client, alice: User) -> None:
    response = adam_client.post(f"/people/{alice.pk}/role", {"role": "boss"})

    assert response.status_code == 422
    assert roles.role_of(alice) == roles.REVIEWER


def test_it_ends_sessions_at_once_and_for_good(adam_client: Client, carol: User) -> None:
    hers = Client()
    sign_in_with_password(hers)
    assert hers.get("/preferences").status_code == 200

    adam_client.post(f"/people/{carol.pk}/deactivate")
    assert hers.get("/preferences").status_code == 302
    adam_client.post(f"/people/{carol.pk}/reactivate")

    assert hers.get("/preferences").status_code == 302
    assert not get_user(hers).is_authenticated
    sign_in_with_password(hers)
    assert hers.get("/preferences").status_code == 200
    assert roles.role_of(carol) == roles.REVIEWER


def test_it_lets_nobody_shut_themselves_out(adam_client: Client, adam: User) -> None:
    make_person("ada", roles.ADMIN)

    for deed in (
        adam_client.post(f"/people/{adam.pk}/deactivate"),
        adam_client.post(f"/people/{adam.pk}/role"),
    ):
        assert deed.status_code == 409
        assert "Another admin can." in collapsed(deed)

    adam.refresh_from_db()
    assert adam.is_active
    assert roles.role_of(adam) == roles.ADMIN


def test_it_keeps_the_last_active_admin(adam: User, lena: User) -> None:
    ada = make_person("ada", roles.ADMIN)
    services.deactivate(ada, actor=adam)
    # As if she had been an admin when she opened the page.
    lena.user_permissions.set(Group.objects.get(name=roles.ADMIN).permissions.all())

    with pytest.raises(LastAdmin, match="the last admin"):
        services.deactivate(adam, actor=lena)
    with pytest.raises(LastAdmin):
        roles.give_role(adam, roles.LEAD, actor=lena)

    assert roles.role_of(adam) == roles.ADMIN


def test_it_lets_one_of_two_admins_go(adam: User) -> None:
    ada = make_person("ada", roles.ADMIN)

    roles.give_role(ada, roles.LEAD, actor=adam)
    assert services.deactivate(ada, actor=adam)

    assert not services.deactivate(ada, actor=adam)
    assert services.reactivate(ada, actor=adam)


@pytest.mark.django_db(transaction=True)
def test_it_keeps_one_of_two_admins_who_remove_each_other_at_once() -> None:
    pair = [make_person("ada", roles.ADMIN), make_person("ann", roles.ADMIN)]
    start = Barrier(2)

    def remove(actor: User, other: User) -> str:
        start.wait()
        try:
            services.deactivate(other, actor=actor)
        except ActionRefused as refused:
            return type(refused).__name__
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(remove, pair, pair[::-1]))

    assert outcomes == ["LastAdmin", "done"]
    assert User.people.active_in(roles.ADMIN).count() == 1


def test_it_takes_a_lost_second_factor_away(adam_client: Client, alice: User, bob: User) -> None:
    for user in (alice, bob):
        for kind in ("totp", "recovery_codes"):
            Authenticator.objects.create(user=user, type=kind, data={})

    adam_client.post(f"/people/{alice.pk}/remove-factors")

    assert not Authenticator.objects.filter(user=alice).exists()
    assert Authenticator.objects.filter(user=bob).count() == 2


@pytest.mark.parametrize(
    "deed", ["role", "deactivate", "reactivate", "remove-factors", "password-link"]
)
def test_it_does_its_deeds_by_post_to_people_there_are(
    adam_client: Client, alice: User, deed: str
) -> None:
    events = Event.objects.count()

    assert adam_client.get(f"/people/{alice.pk}/{deed}")["Location"] == f"/people/{alice.pk}"

    assert Event.objects.count() == events
    assert adam_client.put(f"/people/{alice.pk}/{deed}").status_code == 405
    assert adam_client.post(f"/people/{alice.pk + 1000}/{deed}").status_code == 404


@pytest.mark.parametrize("name", ["alice", "lena", "stranger"])
def test_it_is_for_admins_in_the_services_too(
    name: str, request: pytest.FixtureRequest, bob: User
) -> None:
    actor: User = request.getfixturevalue(name)

    for deed in (services.deactivate, services.reactivate, services.remove_factors):
        with pytest.raises(PermissionDenied):
            deed(bob, actor=actor)


def test_it_refuses_oneself_before_anything_else(adam: User) -> None:
    with pytest.raises(SelfLockout):
        services.deactivate(adam, actor=adam)


def test_it_offers_nobody_what_is_refused_on_oneself(
    adam_client: Client, adam: User, alice: User
) -> None:
    own, other = (collapsed(adam_client.get(f"/people/{who.pk}")) for who in (adam, alice))
    assert f'action="/people/{adam.pk}/deactivate"' not in own
    assert "You cannot deactivate yourself. Another admin can." in own
    assert "You cannot remove your own admin role. Another admin can." in own
    assert 'class="role-choice" disabled' in own
    assert "Save role" not in own
    assert f'action="/people/{alice.pk}/deactivate"' in other
    assert 'class="role-choice" disabled' not in other
    assert "Save role" in other
