"""Single sign-on takes away what was there before: tokens of an earlier holder, rights of groups
that are gone, and other ways in.
"""

from __future__ import annotations

import time

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user
from django.core import mail
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.accounts.people import invitations
from reviewapp.accounts.tasks import mail_password_link
from reviewapp.annotations.models import Lease
from reviewapp.api import tokens
from reviewapp.audit.models import Event
from tests.accounts.idp import Provider
from tests.accounts.sso_steps import sign_in_by_sso
from tests.api.conftest import Caller
from tests.collapsed import collapsed
from tests.factories import make_annotation, make_lease


def works(secret: str) -> bool:
    """Return whether the token lets a script in."""
    return bool(Caller(secret)("POST", "/v1/annotations/list").status_code == 200)


def test_it_revokes_tokens_and_links_of_whoever_held_the_account(
    client: Client, idp: Provider, carol: User, adam: User
) -> None:
    _, secret = tokens.create_token(carol, name="script", scope="admin", actor=None)
    _, link = invitations.new_password_link(carol, actor=adam)
    assert works(secret)

    sign_in_by_sso(client, idp, email="carol@example.com")

    assert get_user(client) == carol
    assert not works(secret)
    assert Client().get(f"/new-password/{link}").status_code == 404
    event = Event.objects.get(action="token.revoked")
    assert event.note == "linked to an account of Our house"


def test_it_removes_the_ways_in_of_whoever_held_the_account(
    client: Client, idp: Provider, carol: User, carol_client: Client
) -> None:
    TOTP.activate(carol, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(carol)
    Authenticator.objects.create(user=carol, type=Authenticator.Type.WEBAUTHN, data={})
    assert carol_client.get("/preferences").status_code == 200

    sign_in_by_sso(client, idp, email="carol@example.com")

    assert get_user(client) == carol
    assert not Authenticator.objects.filter(user=carol).exists()
    assert carol_client.get("/preferences").status_code == 302
    assert not get_user(carol_client).is_authenticated
    carol.refresh_from_db()
    assert not carol.has_usable_password()
    events = Event.objects.filter(ref="people/carol", note="linked to an account of Our house")
    removed = events.filter(action="factor.removed")
    assert {event.changes["type"][0] for event in removed} == {"totp", "webauthn", "recovery_codes"}
    assert events.filter(action="password.changed").exists()
    assert events.filter(action="identity.linked").exists()
    assert UserSession.objects.filter(user=carol).count() == 1


def test_it_removes_them_also_where_the_address_was_verified_before(
    client: Client, idp: Provider, carol: User, carol_client: Client
) -> None:
    EmailAddress.objects.create(user=carol, email=carol.email, verified=True, primary=True)
    TOTP.activate(carol, "JBSWY3DPEHPK3PXP")

    sign_in_by_sso(client, idp, email="carol@example.com")

    assert get_user(client) == carol
    assert not Authenticator.objects.filter(user=carol).exists()
    assert not get_user(carol_client).is_authenticated
    carol.refresh_from_db()
    assert not carol.has_usable_password()


def test_it_removes_nothing_if_the_sign_in_is_refused(
    client: Client, idp: Provider, carol: User, carol_client: Client
) -> None:
    roles.give_role(carol, roles.ADMIN, actor=None)
    TOTP.activate(carol, "JBSWY3DPEHPK3PXP")

    assert sign_in_by_sso(client, idp, email="carol@example.com").status_code == 403

    carol.refresh_from_db()
    assert carol.has_usable_password()
    assert Authenticator.objects.filter(user=carol).exists()
    assert carol_client.get("/preferences").status_code == 200


def test_it_keeps_the_factors_of_a_person_who_signs_in_again(client: Client, idp: Provider) -> None:
    sign_in_by_sso(client, idp)
    wendy = User.objects.get(username="wendy")
    Authenticator.objects.create(user=wendy, type=Authenticator.Type.WEBAUTHN, data={})

    sign_in_by_sso(Client(), idp)

    assert Authenticator.objects.filter(user=wendy).exists()
    assert get_user(client) == wendy


def test_it_leaves_tokens_alone_at_later_sign_ins(client: Client, idp: Provider) -> None:
    sign_in_by_sso(client, idp)
    wendy = User.objects.get(username="wendy")
    _, secret = tokens.create_token(wendy, name="script", scope="read", actor=None)

    sign_in_by_sso(Client(), idp)

    assert works(secret)


def test_it_takes_the_role_away_from_whoever_has_no_mapped_group(
    client: Client, idp: Provider
) -> None:
    sign_in_by_sso(client, idp)
    wendy = User.objects.get(username="wendy")
    _, secret = tokens.create_token(wendy, name="script", scope="read", actor=None)
    make_lease(make_annotation(), wendy)

    refused = sign_in_by_sso(Client(), idp, groups=["strangers"])

    assert refused.status_code == 403
    assert "You have no role here" in refused.content.decode()
    assert client.get("/annotations").status_code == 403
    assert not works(secret)
    assert not Lease.objects.filter(holder=wendy).exists()
    event = Event.objects.filter(action="role.taken").latest("id")
    assert (event.ref, event.note) == ("people/wendy", "by the groups of Our house")

    assert sign_in_by_sso(Client(), idp)["Location"] == "/"
    assert client.get("/annotations").status_code == 200


def test_it_leaves_the_last_admin_who_has_no_mapped_group(client: Client, idp: Provider) -> None:
    sign_in_by_sso(Client(), idp, groups=["heads"])

    response = sign_in_by_sso(client, idp, groups=[])

    assert response.status_code == 403
    assert not get_user(client).is_authenticated
    assert roles.role_of(User.objects.get(username="wendy")) == roles.ADMIN


def test_it_takes_nothing_from_somebody_whose_address_a_refused_person_has(
    client: Client, idp: Provider, carol: User
) -> None:
    carol.groups.clear()
    roles.give_role(carol, roles.LEAD, actor=None)

    assert sign_in_by_sso(client, idp, email="carol@example.com", groups=[]).status_code == 403

    carol.refresh_from_db()
    assert carol.has_usable_password()
    assert roles.role_of(carol) == roles.LEAD


def test_it_mails_no_password_link_to_somebody_without_a_password(
    client: Client, idp: Provider, settings: Settings
) -> None:
    settings.EMAIL_HOST = "mail.example.com"
    sign_in_by_sso(Client(), idp)

    client.post("/accounts/password/reset/", {"email": "wendy@example.com"})
    for job in ProcrastinateJob.objects.filter(task_name=mail_password_link.name):
        mail_password_link(**job.args)

    assert not mail.outbox


@pytest.mark.parametrize("path", ["/accounts/2fa/totp/activate/", "/accounts/2fa/passkeys/add/"])
def test_it_wants_a_new_sign_in_before_another_way_in_is_added(
    client: Client, idp: Provider, path: str
) -> None:
    sign_in_by_sso(client, idp)
    assert client.get(path).status_code == 200
    session = client.session
    session["began"] = int(time.time()) - 3600
    session.save()

    refused = client.get(path, follow=True)

    assert "sign out, sign in again" in collapsed(refused)
    assert client.post(path, {"code": "123456"}).status_code == 302
    assert not Authenticator.objects.exists()
