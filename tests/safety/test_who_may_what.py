"""Who may what: the table in docs/people.md, held against every URL, every method and every role."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import Settings

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.accounts.people import invitations
from reviewapp.annotations.batches import services as batches
from reviewapp.annotations.batches.services import BatchValues
from reviewapp.annotations.models import Batch, Revert
from reviewapp.annotations.reverts import services as reverts
from reviewapp.api import tokens
from reviewapp.api.models import ApiToken
from reviewapp.audit.models import Event
from reviewapp.outbox.models import Change
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.guidance.services import set_labels, write_guidelines
from tests.accounts.idp import Provider
from tests.accounts.passkey import Passkey
from tests.decisions import decide
from tests.factories import (
    LONG_AGO,
    make_annotation,
    make_change,
    make_execution,
    make_export,
    make_result,
    make_retriever,
)
from tests.people import PASSWORD, make_person, signed_in

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "people.md"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# HEAD is for whom GET is; these are for nobody.
REFUSED_METHODS = ["OPTIONS", "TRACE", "BREW"]
WHO = ["stranger", "no role", "reviewer", "lead", "admin"]
# What is for nobody is refused to whoever may least and to whoever may most, so to everybody
# between them.
OUTERMOST = ["stranger", "admin"]
WORDS = {"yes", "no", "sign in", "key"}
REFUSALS = {"405", "no", "sign in", "key"}
Row = dict[str, str]


def table() -> dict[tuple[str, str], Row]:
    """Return {(URL name, method): {who: word}} of the document."""
    lines = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    cells = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]
    return {(name, method): dict(zip(WHO, words, strict=True)) for name, method, *words in cells}


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    """Yield every URL there is, those of included modules too."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern)
        else:
            yield pattern


def named(pattern: URLPattern) -> str:
    """Return the name under which the table lists this URL."""
    return pattern.name or f"{pattern.pattern} (give it a name)"


TABLE = table()
LISTED = {name for name, _ in TABLE}
ALL = {named(pattern): pattern for pattern in patterns(get_resolver())}
NAMES = sorted(ALL.keys() & LISTED)
# So many URLs share one set of people and things, which take longer to make than to be asked for.
AT_ONCE = 10
LEADS_TO_A_FACTOR = {"account_reauthenticate", "account_change_password", "theme"}
PARTS = [NAMES[at : at + AT_ONCE] for at in range(0, len(NAMES), AT_ONCE)]
Place = Callable[..., str]


@pytest.fixture
def place(idp: Provider, settings: Settings, adam: User) -> Place:
    """Return what turns a URL's name into the address of something that is really there."""
    settings.MIXPEEK_BASE_URL, settings.METRICS_TOKEN = "http://127.0.0.1:1", "m" * 32
    tara = make_person("tara", roles.REVIEWER)
    annotation, change = make_annotation(), make_change(make_annotation(), state="conflict")
    invitation, secret = invitations.invite(
        email="nina@example.com", role=roles.REVIEWER, actor=adam
    )
    _, other = invitations.new_password_link(tara, actor=adam)
    made = decide(make_annotation(), tara, label="logo")
    of_annotation, of_tara = {"pk": annotation.pk}, {"pk": tara.pk}
    retriever, execution = make_retriever(), make_execution()
    born = Event.objects.about(retriever.ref).latest("id")
    set_labels(retriever.pk, [Label(value="logo")], other_allowed=True, base_version=0, actor=adam)
    write_guidelines(retriever.pk, "Look.", base_version=0, actor=adam)
    reverted = reverts.start([made.pk], reason="wrong", query="", actor=adam)
    Revert.objects.update(finished_at=LONG_AGO)
    of_revert = {"pk": reverted.pk}
    batch = batches.start({}, BatchValues(label="logo"), query="", actor=adam)
    Batch.objects.update(finished_at=LONG_AGO)
    of_batch = {"pk": batch.pk}
    of_change, of_retriever = {"pk": change.pk}, {"pk": retriever.pk}
    of_version, of_export = {**of_retriever, "number": 1}, {"pk": make_export().pk}
    upstream = {"annotation_id": annotation.annotation_id}
    behind: dict[str, dict[str, Any]] = {
        **dict.fromkeys(("draft", "discard_draft", "life"), of_annotation),
        **dict.fromkeys(
            ("review", "decide", "skip", "defer", "resume", "lease", "release", "news", "catch_up"),
            of_annotation,
        ),
        **dict.fromkeys(("take_theirs", "delivery"), of_change),
        **dict.fromkeys(
            ("retriever", "run", "edit_retriever", "label_set", "guidelines"), of_retriever
        ),
        **dict.fromkeys(("person", "give_role", "deactivate", "reactivate"), of_tara),
        **dict.fromkeys(("remove_factors", "password_link"), of_tara),
        **dict.fromkeys(("decisions_of_person", "corrections_of_person"), of_tara),
        **dict.fromkeys(("api_annotation", "api_versions"), upstream),
        "api_version": {**upstream, "version": 1},
        **{
            key: {"retriever_id": retriever.retriever_id}
            for key in ("api_retriever", "api_execute")
        },
        **{
            key: {"retriever_id": retriever.retriever_id}
            for key in ("api_executions", "api_execution_list")
        },
        "api_execution": {
            "retriever_id": execution.retriever.retriever_id,
            "execution_id": execution.execution_id,
        },
        "api_change": {"change_id": change.pk},
        **{key: {"figure": "decisions"} for key in ("figures_csv", "api_figure")},
        "api_openapi": {"form": "json"},
        "completions": {"kind": "people"},
        "api_nothing": {"rest": "nothing/of/the/kind"},
        "retriever_version": {**of_retriever, "event": born.pk},
        **dict.fromkeys(("label_set_version", "guidelines_version"), of_version),
        "execution": {"pk": execution.pk},
        **dict.fromkeys(("revert", "revert_again"), of_revert),
        **dict.fromkeys(("batch", "undo_batch"), of_batch),
        **dict.fromkeys(("export_file", "export_manifest"), of_export),
        "decision": {"pk": made.pk},
        "decision_by_id": {"decision_id": made.decision_id},
        "judge_result": {"pk": make_result(execution.retriever, execution=execution).pk},
        "media": {"document_id": annotation.document_id, "index": 0},
        "media_by_query": {"index": 0},
        "withdraw_link": {"pk": invitation.pk},
        "join": {"secret": secret},
        "new_password": {"secret": other},
        "account_reset_password_from_key": {"uidb36": "1", "key": "set-password"},
    }
    queries = {
        "by_ref": f"?ref={annotation.ref}",
        "new_revert": f"?decision={made.pk}",
        "media_by_query": f"?document_id={annotation.document_id}",
    }

    def address(name: str, **own: Any) -> str:
        needed = ALL[name].pattern.regex.groups
        assert not needed or name in behind or own, (
            f"say in `place` what is behind the arguments of {name!r}"
        )
        return reverse(name, kwargs=own or behind.get(name)) + queries.get(name, "")

    return address


@pytest.fixture
def people(
    settings: Settings, adam: User, lena: User, alice: User, stranger: User
) -> dict[str, User]:
    """Return one person a column, each with a password and both kinds of second factor."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    people_by_role = {"no role": stranger, "reviewer": alice, "lead": lena, "admin": adam}
    for user in people_by_role.values():
        give_password_and_factors(user)
    return people_by_role


def give_password_and_factors(user: User) -> None:
    """Let the person sign in by a password, an authenticator app, recovery codes or a passkey."""
    User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD))
    user.refresh_from_db()
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(user)
    Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=a_passkey())


def a_passkey() -> dict[str, Any]:
    """Return what is kept of a registered passkey."""
    options = {"user": {"id": "dGVzdA"}, "challenge": "dGVzdA"}
    return {"name": "laptop", "credential": json.loads(Passkey().create(options))}


def own(name: str, user: User | None) -> dict[str, Any]:
    """Return the arguments of those few URLs that lead to something of one's own."""
    if name == "revoke_token":
        owner = user or User.objects.get(username="adam")
        token, _ = tokens.create_token(owner, name="script", scope=ApiToken.Scope.READ, actor=owner)
        return {"pk": token.pk}
    if name in {"undo", "api_withdraw_change"}:
        decided = make_annotation()
        adam = User.objects.get(username="adam")
        decider = user if user and user.has_perm("annotations.decide_annotation") else adam
        decision = decide(decided, decider, label="mine", hold=60)
        if name == "undo":
            return {"pk": decision.pk}
        return {"change_id": Change.objects.get(cause=decision.decision_id).pk}
    if name == "answer_revert":
        adam = User.objects.get(username="adam")
        decider = user if user and user.has_perm("annotations.decide_annotation") else adam
        decision = decide(make_annotation(), decider, label="mine")
        revert = reverts.start([decision.pk], reason="wrong", query="", actor=adam)
        reverts.run(revert)
        return {"pk": revert.items.get().pk}
    if name not in {"mfa_edit_webauthn", "mfa_remove_webauthn"}:
        return {}
    keys = Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN)
    if user:
        keys = keys.filter(user=user)
    key = keys.first()
    assert key
    return {"pk": key.pk}


class Caller:
    """One person, or nobody, with a session and an API token that last for a whole test."""

    def __init__(self, user: User | None) -> None:
        self._client = Client(raise_request_exception=True)
        self._headers: dict[str, str] = {}
        self._cookies = SimpleCookie()
        if user:
            self.token, secret = tokens.create_token(
                user, name="script", scope=ApiToken.Scope.ADMIN, actor=user
            )
            self._headers = {"Authorization": f"Bearer {secret}"}
            self._cookies = signed_in(user).cookies
            session_key = self._cookies[settings.SESSION_COOKIE_NAME].value
            self.session = Session.objects.filter(session_key=session_key)

    def answer(self, address: str, method: str) -> Any:
        """Return what this person gets there; what it changes is undone, a sign-out too."""
        is_api = address.startswith("/api/v1/")
        headers: dict[str, str] = {}
        self._client.cookies = SimpleCookie()
        if is_api:
            headers = self._headers
        else:
            self._client.cookies.load(self._cookies.output(header="", sep=";"))
        with transaction.atomic():
            response: Any = self._client.generic(method, address, headers=headers)
            if response.streaming:
                list(response)
            transaction.set_rollback(True)
        return response


def word(response: Any) -> str:
    """Return the answer in the table's words; "405" is a method that is not for anybody."""
    there = response.status_code != 404 or "nothing" in response.request["PATH_INFO"]
    assert there, "nothing was there, so nothing was tested: see `place`"
    if response.status_code == 302 and response["Location"].startswith("/accounts/login/?next="):
        return "sign in"
    return {401: "key", 403: "no", 405: "405"}.get(response.status_code, "yes")


def test_it_lists_every_url() -> None:
    unlisted = sorted(ALL.keys() - LISTED)
    assert not unlisted, f"docs/people.md does not say who may open: {', '.join(unlisted)}"


def test_it_lists_nothing_that_is_gone() -> None:
    gone = sorted(LISTED - ALL.keys())
    assert not gone, f"docs/people.md lists what is no URL: {', '.join(gone)}"


def test_it_uses_only_the_words_it_explains() -> None:
    assert {word for row in TABLE.values() for word in row.values()} <= WORDS
    assert {method for _, method in TABLE} <= set(METHODS)


def methods(name: str, who: str) -> list[str]:
    """Return the methods to try: the table's for this URL, and all others for the outermost."""
    if who not in OUTERMOST:
        listed = [method for method in METHODS if (name, method) in TABLE]
        return [*listed, "HEAD"]
    # Where nothing is, no method is refused.
    refused = REFUSED_METHODS if name != "api_nothing" else []
    return [*METHODS, "HEAD", *refused]


@pytest.mark.slow
@pytest.mark.parametrize("names", PARTS, ids=lambda names: f"{names[0]} to {names[-1]}")
def test_it_behaves_as_the_table_says(
    names: list[str], place: Place, people: dict[str, User]
) -> None:
    wrong = []
    for who in WHO:
        user = people.get(who)
        caller = Caller(user)
        for name, address in [(name, place(name, **own(name, user))) for name in names]:
            for method in methods(name, who):
                answered = word(caller.answer(address, method))
                row = TABLE.get((name, "GET" if method == "HEAD" else method))
                # What is not listed is for nobody: refused as a method, or earlier.
                wanted = {row[who]} if row else REFUSALS
                if answered not in wanted:
                    wrong.append(
                        f"{who} {method} {address}: {answered}, where the table says {' or '.join(sorted(wanted))}"
                    )
    assert not wrong, "\n".join(wrong)


def deactivate(user: User, _: Caller) -> None:
    User.people.filter(pk=user.pk).update(is_active=False)


def demote(user: User, _: Caller) -> None:
    user.groups.set([Group.objects.get(name=roles.REVIEWER)])


def take_the_role_away(user: User, _: Caller) -> None:
    user.groups.clear()


def expire(_: User, caller: Caller) -> None:
    caller.session.update(expire_date=LONG_AGO)
    ApiToken.objects.filter(pk=caller.token.pk).update(expires_at=LONG_AGO)


def revoke(user: User, caller: Caller) -> None:
    caller.session.delete()
    tokens.revoke(caller.token, actor=user)


# What happens to an admin after they signed in and made a token, and whose rights they have from
# then on.
LATER = {
    "deactivated": (deactivate, "stranger"),
    "demoted": (demote, "reviewer"),
    "without a role": (take_the_role_away, "no role"),
    "expired": (expire, "stranger"),
    "revoked": (revoke, "stranger"),
}


@pytest.mark.slow
@pytest.mark.parametrize("state", LATER)
def test_it_counts_what_a_person_may_do_now(
    state: str, place: Place, people: dict[str, User]
) -> None:
    happens, who = LATER[state]
    later = make_person("later", roles.ADMIN)
    give_password_and_factors(later)
    caller = Caller(later)
    addresses = {name: place(name, **own(name, later)) for name in NAMES}
    happens(later, caller)
    wrong = []
    for (name, method), row in TABLE.items():
        answered = word(caller.answer(addresses[name], method))
        if answered != row[who]:
            wrong.append(f"{method} {addresses[name]}: {answered}, where the table says {row[who]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_it_opens_little_until_a_required_second_factor_is_set_up(
    place: Place, people: dict[str, User], settings: Settings
) -> None:
    """Besides what strangers may: what leads to a second factor, and nothing by a token."""
    settings.SECOND_FACTOR_ROLES = [roles.ADMIN]
    bound = make_person("bound", roles.ADMIN)
    caller = Caller(bound)
    wrong = []
    for (name, method), row in TABLE.items():
        if row["stranger"] == "yes" or name in LEADS_TO_A_FACTOR or name.startswith("mfa_"):
            continue
        address = place(name, **own(name, people["admin"]))
        response = caller.answer(address, method)
        is_led_there = response.status_code == 302 and response["Location"] == reverse("mfa_index")
        if not is_led_there and response.status_code not in {401, 403}:
            wrong.append(f"{method} {address}: {response.status_code}")
    assert not wrong, "\n".join(wrong)


def test_it_gives_a_stranger_no_fragment_either(place: Place, people: dict[str, User]) -> None:
    for (name, method), row in TABLE.items():
        if row["stranger"] != "sign in" or name not in ALL:
            continue
        response = Client().generic(
            method, place(name, **own(name, None)), headers={"HX-Request": "true"}
        )
        assert response.status_code == 401, f"{name} {method}"
        assert "<" not in response.content.decode()


def test_it_lets_a_later_role_do_all_that_an_earlier_one_may() -> None:
    for (name, method), row in TABLE.items():
        allowed = [row[who] == "yes" for who in WHO[1:]]
        assert allowed == sorted(allowed), f"{name} {method}"


@pytest.mark.parametrize("name", ["mfa_edit_webauthn", "mfa_remove_webauthn"])
def test_it_keeps_ones_passkeys_from_others(
    name: str, people: dict[str, User], client: Client
) -> None:
    client.force_login(people["admin"])
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    address = reverse(name, kwargs=own(name, people["reviewer"]))

    assert client.get(address).status_code == 404
    assert client.post(address, {"name": "mine"}).status_code == 404
