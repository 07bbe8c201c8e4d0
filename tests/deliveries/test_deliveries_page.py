"""The deliveries page: changes under way, changes waiting and why, and the leads' actions."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.outbox import claims
from reviewapp.outbox import services as outbox
from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit import shared_budget
from tests.factories import LONG_AGO, make_annotation, make_change, make_retriever

pytestmark = pytest.mark.django_db

URL, CHOSEN = "/deliveries", "/deliveries/chosen"
REASON = "Mixpeek could not be reached."


@pytest.fixture
def waiting() -> Change:
    change = make_change(
        make_annotation(label="no logo", upstream={"label": "logo"}), fields={"label": "no logo"}
    )
    outbox.postpone(change, until=timezone.now() + timedelta(seconds=90), reason=REASON)
    return change


@pytest.fixture
def worker() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (clock_timestamp())"
        )


def shown(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))


def test_it_says_in_a_sentence_that_mixpeek_takes_nothing(
    waiting: Change, worker: None, client: Client, alice: User
) -> None:
    client.force_login(alice)
    page = shown(client.get(URL))
    assert "Mixpeek has accepted nothing since" in page
    assert f"{REASON} 1 change is waiting, for" in page
    assert "Next retry in 1 minute." in page
    assert "No action needed" in page


def test_it_says_what_else_can_be_going_on(client: Client, alice: User, worker: None) -> None:
    client.force_login(alice)
    assert "Everything is delivered" in shown(client.get(URL))
    change = make_change(make_annotation(), due=timezone.now() + timedelta(seconds=50))
    assert "All sent, except decisions that can still be undone." in shown(client.get(URL))
    Change.objects.filter(pk=change.pk).update(due=LONG_AGO)
    assert "Changes are being delivered. 1 change is waiting" in shown(client.get(URL))
    shared_budget.lower_limit(retry_after=60, reason="Too many requests.")
    assert "Mixpeek asked us to slow down" in shown(client.get(URL))
    outbox.pause(reason="Mixpeek does not accept the API key.")
    assert "Deliveries have been paused since" in shown(client.get(URL))


def test_it_does_not_call_a_conflict_delivered(client: Client, alice: User, worker: None) -> None:
    change = make_change(make_annotation(), "conflict", settled_at=timezone.now())
    client.force_login(alice)
    response = client.get(URL)
    assert "figures-message tone-warn" in response.text
    page = shown(response)
    assert "Nothing is waiting to be sent." in page
    assert "1 decision needs attention." in page
    assert "Everything is delivered" not in page
    page = shown(client.get(f"/changes/{change.pk}"))
    assert "In conflict since" in page
    assert "Settled" not in page


def test_it_claims_no_delivery_before_one_was_accepted(
    waiting: Change, worker: None, client: Client, adam: User
) -> None:
    Change.objects.update(attempts=0, due=LONG_AGO)
    outbox.pause(reason="Mixpeek does not accept the API key.")
    client.force_login(adam)
    client.post("/outbox/resume")
    page = shown(client.get(URL))
    assert "Retrying since" in page
    assert "Mixpeek has not accepted anything yet. 1 change is waiting" in page
    assert "are being delivered" not in page
    make_change(make_annotation(), "delivered", settled_at=timezone.now())
    assert "Changes are being delivered." in shown(client.get(URL))


def test_it_says_why_the_budget_is_lowered_when_nothing_waits(
    client: Client, lena: User, worker: None
) -> None:
    client.force_login(lena)
    told = "lowered because Mixpeek asked to slow down"
    assert told not in shown(client.get(URL))
    shared_budget.lower_limit(retry_after=60, reason="Too many requests.")
    page = shown(client.get(URL))
    assert "Everything is delivered." in page
    assert told in page


def test_it_says_when_no_worker_runs(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert "No worker is running, so nothing is sent." in shown(client.get("/deliveries"))


def test_it_shows_each_change_with_what_it_sets_and_why_it_waits(
    waiting: Change, client: Client, lena: User
) -> None:
    Change.objects.update(upstream_request_id="req_123", actor_name="alice")
    client.force_login(lena)
    page = client.get(URL)
    words = shown(page)
    for said in (
        "no logo",
        "logo →",
        REASON,
        "1&nbsp;failed attempt",
        "req_123",
        "by alice",
        "Retry now",
        "next retry",
    ):
        assert said in words
    assert f"/history?ref={quote(waiting.ref, safe='')}" in page.content.decode()
    assert [(group.state, group.reason, group.number) for group in page.context["groups"]] == [
        ("queued", REASON, 1)
    ]


def test_it_lets_reviewers_look_but_not_act(
    waiting: Change, client: Client, alice: User, stranger: User
) -> None:
    client.force_login(alice)
    assert CHOSEN not in client.get(URL).content.decode().replace(f'action="{CHOSEN}"', "")
    asked: dict[str, Any] = {"deed": "withdraw", "pk": waiting.pk}
    assert (client.get(CHOSEN, asked).status_code, client.post(CHOSEN, asked).status_code) == (
        403,
        403,
    )
    client.force_login(stranger)
    assert client.get(URL).status_code == 403
    assert Change.objects.get().state == "queued"


def test_it_is_filtered(client: Client, alice: User, bob: User) -> None:
    retriever = make_retriever("Vans")
    mine = make_change(make_annotation(), actor_id=alice.pk)
    values: dict[str, Any] = {
        "actor_id": bob.pk,
        "reason": "No.",
        "retriever_id": retriever.retriever_id,
    }
    theirs = make_change(make_annotation(), "refused", **values)
    held = make_change(make_annotation(), due=timezone.now() + timedelta(seconds=50))
    done = make_change(make_annotation(), "delivered")
    client.force_login(alice)
    cases: list[tuple[dict[str, Any], list[Change]]] = [
        ({}, [held, theirs, mine]),
        ({"state": "held"}, [held]),
        ({"state": "waiting"}, [mine]),
        ({"state": "delivered"}, [done]),
        ({"person": bob.pk}, [theirs]),
        ({"retriever": retriever.retriever_id}, [theirs]),
        ({"reason": "No."}, [theirs]),
        ({"state": "nonsense", "person": "x"}, [held, theirs, mine]),
    ]
    for asked, found in cases:
        assert [change for change, _ in client.get(URL, asked).context["rows"]] == found, asked


def test_it_goes_through_the_pages_in_few_questions(
    client: Client, alice: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(51):
        make_change(make_annotation(), "refused", reason="No.")
    client.force_login(alice)
    first = client.get(URL)
    assert len(first.context["rows"]) == 50
    assert len(client.get(first.context["pager"].after).context["rows"]) == 1
    assert client.get(URL, {"cursor": "nonsense"}).status_code == 302
    with django_assert_max_num_queries(14):
        client.get(URL)


def test_it_refreshes_the_figures_alone(waiting: Change, client: Client, alice: User) -> None:
    client.force_login(alice)
    part = client.get("/deliveries/figures", headers={"HX-Request": "true"})
    assert part.content.decode().strip().startswith('<section id="figures"')
    assert client.get("/deliveries/figures")["Location"] == URL


def test_it_previews_then_withdraws_and_says_what_became_of_each(
    waiting: Change, client: Client, lena: User
) -> None:
    gone = make_change(make_annotation(), "delivered")
    client.force_login(lena)
    asked: dict[str, Any] = {"deed": "withdraw", "pk": [waiting.pk, gone.pk]}
    preview = client.get(CHOSEN, asked)
    assert "Withdraw 1 change" in shown(preview)
    assert "It is already delivered." in shown(preview)
    assert Change.objects.get(pk=waiting.pk).state == "queued"
    done = client.post(CHOSEN, asked)
    assert [said[:9] for _, _, said in done.context["rows"]] == ["Too late:", ""]
    assert Change.objects.get(pk=waiting.pk).state == "withdrawn"


def test_it_retries_and_is_honest_when_that_is_too_late(
    waiting: Change, client: Client, lena: User
) -> None:
    client.force_login(lena)
    asked: dict[str, Any] = {"deed": "retry", "pk": waiting.pk}
    assert "Retry 1 change" in shown(client.get(CHOSEN, asked))
    done = client.post(CHOSEN, asked)
    assert "Being retried now." in shown(done)
    assert claims.claim(timezone.now()) == waiting
    assert "It is no longer waiting" in shown(client.post(CHOSEN, asked))


def test_it_says_when_an_admin_is_needed(client: Client, lena: User) -> None:
    change = Change.objects.create(
        ref=make_retriever().ref, fields={"name": "x"}, base={"name": "y"}, due=LONG_AGO
    )
    client.force_login(lena)
    asked: dict[str, Any] = {"deed": "withdraw", "pk": change.pk}
    assert "Only an admin can withdraw" in shown(client.get(CHOSEN, asked))
    assert "Only admins can change retrievers" in shown(client.post(CHOSEN, asked))


@pytest.mark.parametrize(
    "asked", [{}, {"deed": "withdraw"}, {"deed": "burn", "pk": "1"}, {"pk": "x"}]
)
def test_it_refuses_what_makes_no_sense(client: Client, lena: User, asked: dict[str, str]) -> None:
    client.force_login(lena)
    assert client.post(CHOSEN, asked).status_code == 422
    assert client.get(CHOSEN, asked).status_code == 422
    assert client.put(CHOSEN).status_code == 405


def test_it_shows_a_confirmed_label_as_no_difference(client: Client, alice: User) -> None:
    change = make_change(
        make_annotation(label="logo"),
        "delivered",
        verb="confirm",
        fields={"label": "logo"},
        version=2,
    )
    assert change.base["label"] == "logo"
    client.force_login(alice)
    page = client.get(URL, {"state": "delivered"}).content.decode()
    assert "Confirmed, delivered v2" in page
    assert "diff-old" not in page
