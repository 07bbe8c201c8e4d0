"""Second factors: authenticator app, passkeys, recovery codes; required for some roles."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth import get_user
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.accounts.sign_in.code_forms import use_totp_code
from tests.accounts.passkey import Passkey, options_on
from tests.accounts.totp import code
from tests.people import PASSWORD, sign_in_with_password, signed_in

SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def reauthenticated_client(client: Client, carol: User) -> Client:
    """Carol, who typed her password again just now."""
    sign_in_with_password(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def test_it_sets_up_an_app_and_shows_recovery_codes(
    reauthenticated_client: Client, carol: User
) -> None:
    page = reauthenticated_client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    assert secret in page.content.decode()
    assert 'src="data:image/svg+xml;base64,' in page.content.decode()

    done = reauthenticated_client.post(
        "/accounts/2fa/totp/activate/", {"code": code(secret)}, follow=True
    )

    assert done.redirect_chain[-1][0] == "/accounts/2fa/recovery-codes/"
    assert len(re.findall(r"<li>\d{8}</li>", done.content.decode())) == 10
    assert set(Authenticator.objects.filter(user=carol).values_list("type", flat=True)) == {
        "totp",
        "recovery_codes",
    }


def test_it_leads_somebody_without_recovery_codes_to_the_second_factor(
    reauthenticated_client: Client,
) -> None:
    assert (
        reauthenticated_client.get("/accounts/2fa/recovery-codes/")["Location"] == "/accounts/2fa/"
    )


@pytest.mark.parametrize("typed", ["000000", "", "abc", "1" * 400, "\0"])
def test_it_turns_nothing_on_by_a_wrong_code(
    reauthenticated_client: Client, carol: User, typed: str
) -> None:
    reauthenticated_client.get("/accounts/2fa/totp/activate/")

    response = reauthenticated_client.post("/accounts/2fa/totp/activate/", {"code": typed})

    assert response.status_code == 422
    assert "field-error" in response.content.decode()
    assert not Authenticator.objects.exists()


def test_it_asks_for_the_password_before_it_changes_anything(client: Client, carol: User) -> None:
    sign_in_with_password(client)

    assert client.get("/accounts/2fa/totp/activate/")["Location"].startswith(
        "/accounts/reauthenticate/"
    )
    refused = client.post("/accounts/reauthenticate/", {"password": "wrong"})
    assert refused.status_code == 422
    assert client.get("/accounts/2fa/totp/activate/").status_code == 302


def test_it_asks_for_a_code_at_sign_in(client: Client, carol: User) -> None:
    TOTP.activate(carol, SECRET)

    response = sign_in_with_password(client)

    assert response["Location"].startswith("/accounts/2fa/authenticate/")
    assert not get_user(client).is_authenticated
    assert client.get("/preferences").status_code == 302
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert wrong.status_code == 422
    assert client.post("/accounts/2fa/authenticate/", {"code": code(SECRET)}).status_code == 302
    assert get_user(client) == carol


def sign_in_with_code(typed: str) -> int:
    """Sign in as Carol in a new browser; return the status of the page of the code."""
    sign_in_with_password(client := Client())
    return client.post("/accounts/2fa/authenticate/", {"code": typed}).status_code


def test_it_takes_a_code_once(carol: User) -> None:
    TOTP.activate(carol, SECRET)
    shown = code(SECRET)

    first = sign_in_with_code(shown)
    # What is remembered in the cache goes after half a minute, and earlier when the cache is full.
    cache.clear()
    again = sign_in_with_code(f"{shown[:3]} {shown[3:]}")

    assert (first, again) == (302, 422)


def test_it_takes_no_code_of_before_the_last_one(carol: User) -> None:
    TOTP.activate(carol, SECRET)

    statuses = [sign_in_with_code(code(SECRET, later=later)) for later in (0, -1, 1)]

    assert statuses == [302, 422, 302]


def test_it_takes_the_code_that_turned_the_app_on_for_nothing_else(
    reauthenticated_client: Client,
) -> None:
    secret = reauthenticated_client.get("/accounts/2fa/totp/activate/").context["form"].secret
    shown = code(secret)
    reauthenticated_client.post("/accounts/2fa/totp/activate/", {"code": shown})

    assert sign_in_with_code(shown) == 422
    assert sign_in_with_code(code(secret, later=1)) == 302


def test_it_takes_a_code_once_to_prove_who_is_there(client: Client, carol: User) -> None:
    TOTP.activate(carol, SECRET)
    shown = code(SECRET)
    sign_in_with_password(client)
    client.post("/accounts/2fa/authenticate/", {"code": shown})
    cache.clear()

    again = client.post("/accounts/2fa/reauthenticate/", {"code": shown})

    assert again.status_code == 422
    assert "already used" in again.content.decode()


@pytest.mark.django_db(transaction=True)
def test_it_takes_a_code_once_of_two_who_send_it_at_once(carol: User) -> None:
    authenticator = TOTP.activate(carol, SECRET).instance
    shown, start = code(SECRET), Barrier(2)

    def use(_: int) -> bool:
        start.wait()
        try:
            return use_totp_code(authenticator, shown)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(use, range(2)))

    assert sorted(outcomes) == [False, True]


def test_it_makes_a_guesser_of_codes_wait(client: Client, carol: User) -> None:
    TOTP.activate(carol, SECRET)
    sign_in_with_password(client)
    for _ in range(12):
        client.post("/accounts/2fa/authenticate/", {"code": "000000"})

    response = client.post("/accounts/2fa/authenticate/", {"code": code(SECRET)})

    assert response.status_code == 422
    assert not get_user(client).is_authenticated


def test_it_takes_each_recovery_code_once(reauthenticated_client: Client, carol: User) -> None:
    secret = reauthenticated_client.get("/accounts/2fa/totp/activate/").context["form"].secret
    reauthenticated_client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    kept = reauthenticated_client.get("/accounts/2fa/recovery-codes/").context["unused_codes"][0]
    assert (
        kept
        in reauthenticated_client.get("/accounts/2fa/recovery-codes/download/").content.decode()
    )

    answers = []
    for _ in range(2):
        sign_in_with_password(other := Client())
        answers.append(other.post("/accounts/2fa/authenticate/", {"code": kept}).status_code)

    assert answers == [302, 422]


def test_it_turns_the_app_off_and_the_codes_with_it(
    reauthenticated_client: Client, carol: User
) -> None:
    secret = reauthenticated_client.get("/accounts/2fa/totp/activate/").context["form"].secret
    reauthenticated_client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})

    reauthenticated_client.post("/accounts/2fa/totp/deactivate/")

    assert not Authenticator.objects.exists()


@pytest.fixture
def passkey(reauthenticated_client: Client, carol: User) -> Passkey:
    """A passkey that carol added."""
    key = Passkey()
    options = options_on(reauthenticated_client.get("/accounts/2fa/passkeys/add/"))
    sent = {"name": "laptop", "credential": key.create(options), "passwordless": "on"}
    assert reauthenticated_client.post("/accounts/2fa/passkeys/add/", sent).status_code == 302
    return key


def test_it_lists_renames_and_removes_a_passkey(
    reauthenticated_client: Client, passkey: Passkey
) -> None:
    assert "laptop" in reauthenticated_client.get("/accounts/2fa/passkeys/").content.decode()
    key = Authenticator.objects.get(type="webauthn").pk

    reauthenticated_client.post(f"/accounts/2fa/passkeys/{key}/edit/", {"name": "old laptop"})
    assert "old laptop" in reauthenticated_client.get("/accounts/2fa/passkeys/").content.decode()
    reauthenticated_client.post(f"/accounts/2fa/passkeys/{key}/remove/")

    assert not Authenticator.objects.filter(type="webauthn").exists()


def grow_old(client: Client) -> None:
    """Let more time pass since the password was typed than a change of a factor allows."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 3600
    session.save()


@pytest.mark.parametrize("change", ["add", "remove", "rename", "turn off", "new codes"])
def test_it_asks_again_before_a_factor_changes_and_then_changes_it(
    reauthenticated_client: Client, passkey: Passkey, carol: User, change: str
) -> None:
    TOTP.activate(carol, SECRET)
    options = options_on(reauthenticated_client.get("/accounts/2fa/passkeys/add/"))
    key = Authenticator.objects.get(type="webauthn").pk
    path, form = {
        "add": ("passkeys/add/", {"name": "phone", "credential": Passkey().create(options)}),
        "remove": (f"passkeys/{key}/remove/", {}),
        "rename": (f"passkeys/{key}/edit/", {"name": "old laptop"}),
        "turn off": ("totp/deactivate/", {}),
        "new codes": ("recovery-codes/generate/", {}),
    }[change]
    path = f"/accounts/2fa/{path}"
    factors = Authenticator.objects.order_by("pk").values_list("pk", "data")
    before = list(factors)
    grow_old(reauthenticated_client)

    asked = reauthenticated_client.post(path, form)

    assert asked["Location"].startswith("/accounts/reauthenticate/?next=")
    assert list(factors.all()) == before

    reauthenticated_client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": path})

    assert list(factors.all()) != before


def test_it_takes_a_passkey_as_the_second_factor(passkey: Passkey, carol: User) -> None:
    sign_in_with_password(client := Client())
    options = options_on(client.get("/accounts/2fa/authenticate/"))

    client.post("/accounts/2fa/authenticate/", {"credential": passkey.get(options)})

    assert get_user(client) == carol


def test_it_signs_in_with_a_passkey_alone(passkey: Passkey, carol: User) -> None:
    client = Client()
    options = client.get(
        "/accounts/2fa/passkeys/login/", headers={"Accept": "application/json"}
    ).json()

    client.post(
        "/accounts/2fa/passkeys/login/",
        {"credential": passkey.get(options["request_options"]["publicKey"])},
    )

    assert get_user(client) == carol


ODD = [
    "",
    "{}",
    "[]",
    "x",
    '{"id": 1}',
    "null",
    '{"id": "AA", "rawId": "AA", "response": {}}',
    '{"id": "AA", "rawId": 7}',
]


@pytest.mark.parametrize("credential", ODD)
def test_it_takes_nothing_else_for_a_passkey(passkey: Passkey, credential: str) -> None:
    sign_in_with_password(client := Client())
    client.get("/accounts/2fa/authenticate/")

    response = client.post("/accounts/2fa/authenticate/", {"credential": credential})

    assert response.status_code == 422
    assert not get_user(client).is_authenticated


@pytest.mark.parametrize("credential", ODD)
def test_it_registers_and_signs_in_nothing_else(
    reauthenticated_client: Client, credential: str
) -> None:
    reauthenticated_client.get("/accounts/2fa/passkeys/add/")
    added = reauthenticated_client.post(
        "/accounts/2fa/passkeys/add/", {"name": "x", "credential": credential}
    )
    Client().get("/accounts/2fa/passkeys/login/", headers={"Accept": "application/json"})
    entered = (client := Client()).post("/accounts/2fa/passkeys/login/", {"credential": credential})

    assert (added.status_code, entered.status_code) == (422, 302)
    assert not get_user(client).is_authenticated
    assert not Authenticator.objects.exists()


def test_it_takes_no_passkey_of_a_stranger(passkey: Passkey) -> None:
    sign_in_with_password(client := Client())
    options = options_on(client.get("/accounts/2fa/authenticate/"))

    client.post("/accounts/2fa/authenticate/", {"credential": Passkey().get(options)})

    assert not get_user(client).is_authenticated


@pytest.fixture
def must(settings: Settings) -> None:
    """Reviewers need a second factor."""
    settings.SECOND_FACTOR_ROLES = ["reviewer"]


@pytest.mark.usefixtures("must")
def test_it_leads_those_who_need_one_to_set_it_up_before_anything_else(
    reauthenticated_client: Client,
) -> None:
    for path in ("/annotations", "/preferences", "/history", "/retrievers"):
        assert reauthenticated_client.get(path)["Location"] == "/accounts/2fa/"
    assert (
        "Your role requires a second factor"
        in reauthenticated_client.get("/accounts/2fa/").content.decode()
    )
    part = reauthenticated_client.get("/annotations", headers={"HX-Request": "true"})
    assert part.status_code == 401
    assert "your work is kept here" in part.content.decode()

    secret = reauthenticated_client.get("/accounts/2fa/totp/activate/").context["form"].secret
    reauthenticated_client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})

    assert reauthenticated_client.get("/annotations").status_code == 200


@pytest.mark.usefixtures("must")
def test_it_counts_no_recovery_code_as_one(reauthenticated_client: Client, carol: User) -> None:
    Authenticator.objects.create(user=carol, type="recovery_codes", data={})

    assert reauthenticated_client.get("/annotations").status_code == 302


@pytest.mark.usefixtures("must")
def test_it_leaves_other_roles_and_the_way_out_alone(
    client: Client, lena: User, reauthenticated_client: Client
) -> None:
    other = signed_in(lena)

    assert other.get("/annotations").status_code == 200
    assert reauthenticated_client.post("/accounts/logout/").status_code == 302


def test_it_asks_nothing_of_the_database_where_no_role_needs_one(
    reauthenticated_client: Client,
) -> None:
    with CaptureQueriesContext(connection) as asked:
        reauthenticated_client.get("/preferences")

    assert not any("mfa_authenticator" in query["sql"] for query in asked.captured_queries)


def test_it_stops_a_guesser_of_codes_with_many_networks(carol: User, settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {
        "login_failed": "1000/m/ip,1000/m/key",
        "code_failed": "5/h/key",
    }
    TOTP.activate(carol, SECRET)
    owner = Client()
    sign_in_with_password(owner)
    owner.post("/accounts/2fa/authenticate/", {"code": code(SECRET, later=-1)})
    owner.post("/accounts/logout/")

    guesser = Client()
    sign_in_with_password(guesser)
    for _ in range(5):
        guesser.post("/accounts/2fa/authenticate/", {"code": "000000"})
    guessed = guesser.post("/accounts/2fa/authenticate/", {"code": code(SECRET)})
    assert guessed.status_code == 422
    assert "Too many wrong codes" in guessed.content.decode()

    sign_in_with_password(owner)
    assert owner.post("/accounts/2fa/authenticate/", {"code": code(SECRET)}).status_code == 302
    assert get_user(owner) == carol
