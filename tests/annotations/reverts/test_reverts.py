"""A lead reverts decisions: preview, reason, results, resuming, and reverting the revert."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, Revert, RevertedDecision
from reviewapp.annotations.reverts import services
from reviewapp.annotations.reverts.plan import plan_reinstatement
from reviewapp.annotations.tasks import revert_decisions, sweep_reverts
from reviewapp.audit.models import Event
from reviewapp.outbox.models import Change
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.guidance.services import set_labels
from tests.decisions import decide, queue_decision
from tests.factories import LONG_AGO, make_annotation, settle_as_delivered
from tests.people import signed_in

pytestmark = pytest.mark.django_db


def deliver(annotation: Annotation, actor: User, **values: Any) -> Decision:
    """Return a decision that Mixpeek has, and that is mirrored from there."""
    change = queue_decision(annotation, actor, **values)
    settle_as_delivered(change, version=2)
    annotation.refresh_from_db()
    Annotation.objects.filter(pk=annotation.pk).update(upstream=annotation.values(), version=2)
    return annotation.decisions.latest("id")


def revert(client: Client, query: str, *, shown: int, reason: str = "wrong guideline") -> Any:
    """Post the form of the preview, which shows so many decisions, and return the response."""
    preview = client.get(f"/reverts/new?{query}")
    if preview.status_code == 200:
        assert preview.context["count"] == shown
    return post_preview(client, query, digest_shown(preview), reason=reason)


def digest_shown(preview: Any) -> str:
    """Return the digest of the decisions in a preview, "" if it shows none."""
    field = re.search(r'name="shown" value="(\w+)"', preview.text)
    return field[1] if field else ""


def post_preview(client: Client, query: str, shown: str, *, reason: str = "wrong guideline") -> Any:
    return client.post(f"/reverts/new?{query}", {"reason": reason, "shown": shown})


def revert_at_once(client: Client, query: str, *, shown: int) -> Revert:
    """Start a revert and let a worker do it."""
    response = revert(client, query, shown=shown)
    assert response.status_code == 302, response.text
    revert_decisions()
    return Revert.objects.latest("id")


def results(batch: Revert) -> list[tuple[str, str]]:
    """Return state and effect of each item, in the order of the decisions."""
    items = batch.items.order_by("decision")
    return [(item.state, item.effect) for item in items]


def effects(client: Client, query: str) -> dict[str, int]:
    """Return what the preview counts."""
    page = client.get(f"/reverts/new?{query}")
    assert page.status_code == 200
    return {effect.value: number for effect, number in page.context["counts"]}


@pytest.fixture
def decided(alice: User, bob: User) -> dict[str, Decision]:
    """Decisions of Alice in every state that a revert meets."""
    sent = deliver(make_annotation(title="Van 1"), alice, label="fake", confidence=0.9)
    waiting = decide(make_annotation(title="Van 2"), alice, label="fake")
    unclear = decide(
        make_annotation(title="Van 3"), alice, outcome="undecidable", reasoning="too dark"
    )
    disputed = make_annotation(title="Van 4")
    replaced = deliver(disputed, alice, label="fake")
    decide(disputed, bob, label="real")
    confirmed = deliver(make_annotation(title="Van 5"), alice, given=frozenset({"label"}))
    gone = deliver(make_annotation(title="Van 6"), alice, label="fake")
    Annotation.objects.filter(pk=gone.annotation_id).update(status="gone")
    relabelled = deliver(make_annotation(title="Van 7"), alice, label="fake")
    Annotation.objects.filter(pk=relabelled.annotation_id).update(label="elsewhere")
    return {
        "sent": sent,
        "waiting": waiting,
        "unclear": unclear,
        "replaced": replaced,
        "confirmed": confirmed,
        "gone": gone,
        "relabelled": relabelled,
    }


EFFECTS = {
    "restore": 1,
    "withdraw": 1,
    "reopen": 1,
    "decided_since": 1,
    "no_change": 1,
    "gone": 1,
    "changed_since": 1,
}


def test_it_previews_what_would_change(
    lena_client: Client, alice: User, decided: dict[str, Decision]
) -> None:
    query = f"person={alice.pk}"
    assert effects(lena_client, query) == EFFECTS

    page = lena_client.get(f"/reverts/new?{query}").text
    assert "Revert 3 decisions" in page
    assert "Skipped: somebody has decided again since" in page
    assert not Revert.objects.exists()


def test_it_reverts_what_the_preview_said(
    lena_client: Client, lena: User, alice: User, decided: dict[str, Decision]
) -> None:
    batch = revert_at_once(lena_client, f"person={alice.pk}", shown=7)

    assert results(batch) == [
        ("done", "restore"),
        ("done", "withdraw"),
        ("done", "reopen"),
        ("skipped", "decided_since"),
        ("skipped", "no_change"),
        ("skipped", "gone"),
        ("skipped", "changed_since"),
    ]
    sent = Annotation.objects.get(pk=decided["sent"].annotation_id)
    assert (sent.label, sent.status, sent.reviewer) == ("logo", "decided", lena)
    assert sent.decision is not None
    change = Change.objects.get(cause=sent.decision.decision_id)
    assert (change.state, change.fields["label"], change.actor_name) == ("queued", "logo", "lena")

    waiting = Annotation.objects.get(pk=decided["waiting"].annotation_id)
    assert (waiting.label, waiting.status, waiting.decision) == ("logo", "waiting", None)
    withdrawn = Change.objects.get(cause=decided["waiting"].decision_id)
    assert withdrawn.state == "withdrawn"
    unclear = Annotation.objects.get(pk=decided["unclear"].annotation_id)
    assert unclear.status == "waiting"

    batch.refresh_from_db()
    assert batch.finished_at is not None
    assert not batch.stopped


def test_it_does_not_take_the_machines_words_for_the_leads(
    lena_client: Client, lena: User, alice: User
) -> None:
    proposal = make_annotation(confidence=0.31, reasoning="Too blurred.")
    by_script = deliver(
        proposal, alice, label="van", confidence=0.9, reasoning="Wheels.", base=proposal.values()
    )
    revert_at_once(lena_client, f"decision={by_script.pk}", shown=1)

    reverting = Decision.objects.get(reviewer=lena)
    assert (reverting.label, reverting.confidence, reverting.reasoning) == ("logo", None, "")


def test_it_leaves_out_what_an_old_decision_repeats_of_the_machine(alice: User) -> None:
    proposal = make_annotation(confidence=0.31)
    old = Decision(
        annotation=proposal,
        reviewer=alice,
        outcome="decided",
        label="van",
        confidence=0.31,
        reasoning="Wheels.",
        payload={},
        own_words=False,
    )
    values = plan_reinstatement(old, proposal, None).values
    assert (values["label"], values["confidence"], values["reasoning"]) == ("van", None, "Wheels.")


def test_it_says_in_the_history_who_and_why(
    lena_client: Client, lena: User, alice: User, decided: dict[str, Decision]
) -> None:
    batch = revert_at_once(lena_client, f"decision={decided['sent'].pk}", shown=1)

    event = Event.objects.filter(
        ref=decided["sent"].annotation.ref, action="annotation.relabelled"
    ).latest("id")
    assert (event.actor_id, event.note) == (lena.pk, "wrong guideline")
    batch_events = Event.objects.filter(ref=f"reverts/{batch.pk}").order_by("id")
    assert [event.action for event in batch_events] == ["revert.started", "revert.finished"]


def test_it_shows_progress_and_each_result(
    lena_client: Client, alice: User, decided: dict[str, Decision]
) -> None:
    started = revert(lena_client, f"person={alice.pk}", shown=7)
    page = lena_client.get(started["Location"])
    assert 'value="0"' in page.text
    assert 'hx-trigger="every 2s"' in page.text

    revert_decisions()
    page = lena_client.get(started["Location"])
    assert 'value="7"' in page.text
    assert "every 2s" not in page.text
    assert "The values from before are restored by a new decision" in page.text
    assert "wrong guideline" in lena_client.get("/reverts").text


def test_a_revert_can_be_reverted(
    lena_client: Client, alice: User, decided: dict[str, Decision]
) -> None:
    earlier = revert_at_once(lena_client, f"person={alice.pk}", shown=7)

    response = lena_client.post(f"/reverts/{earlier.pk}/revert", {"reason": "it was right"})
    assert response.status_code == 302
    revert_decisions()

    newer = Revert.objects.latest("id")
    assert newer.reverts == earlier
    assert {state for state, _effect in results(newer)} == {"done"}
    for name in ("sent", "waiting"):
        assert Annotation.objects.get(pk=decided[name].annotation_id).label == "fake"
    sent = Annotation.objects.get(pk=decided["sent"].annotation_id)
    assert sent.status == "decided"
    unclear = Annotation.objects.get(pk=decided["unclear"].annotation_id)
    assert unclear.status == "undecidable"


def test_two_leads_who_revert_the_same_do_it_once(
    lena_client: Client, adam: User, decided: dict[str, Decision]
) -> None:
    query = f"decision={decided['sent'].pk}"
    revert(lena_client, query, shown=1)
    revert(signed_in(adam), query, shown=1)
    revert_decisions()

    first, second = Revert.objects.order_by("pk")
    assert results(first) == [("done", "restore")]
    assert results(second) == [("skipped", "decided_since")]


def test_it_goes_on_after_a_crash(
    lena_client: Client, alice: User, decided: dict[str, Decision]
) -> None:
    revert(lena_client, f"person={alice.pk}", shown=7)
    batch = Revert.objects.get()
    first = batch.items.order_by("pk").first()
    assert first is not None
    done = RevertedDecision.objects.filter(pk=first.pk)
    done.update(state="skipped", effect="undone", done_at=LONG_AGO)

    sweep_reverts(0)

    assert batch.items.filter(state="waiting").count() == 0
    first.refresh_from_db()
    assert (first.state, first.effect) == ("skipped", "undone")


def test_an_item_that_fails_keeps_no_other_from_being_reverted(
    lena_client: Client,
    alice: User,
    decided: dict[str, Decision],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object, **__: object) -> Decision:
        raise RuntimeError("a defect")

    monkeypatch.setattr(services, "decide_locked", fail)
    batch = revert_at_once(lena_client, f"person={alice.pk}", shown=7)

    assert batch.finished_at is not None
    assert (
        sorted(state for state, _ in results(batch)) == ["done"] * 2 + ["failed"] + ["skipped"] * 4
    )
    failed = batch.items.get(state="failed")
    assert failed.decision == decided["sent"]
    assert "unexpected error" in failed.problem
    assert "a defect" in caplog.text


def test_it_stops_when_the_lead_loses_the_right(
    lena_client: Client, lena: User, alice: User, decided: dict[str, Decision]
) -> None:
    revert(lena_client, f"person={alice.pk}", shown=7)
    lena.groups.set([Group.objects.get(name=roles.REVIEWER)])
    revert_decisions()

    batch = Revert.objects.get()
    assert batch.stopped == "lena may no longer revert decisions."
    assert set(results(batch)) == {("waiting", "")}
    lena.groups.set([Group.objects.get(name=roles.LEAD)])
    page = lena_client.get(f"/reverts/{batch.pk}").text
    assert "It stopped after 0 of 7." in page


def test_it_says_why_old_values_are_refused(lena_client: Client, alice: User, adam: User) -> None:
    annotation = make_annotation(label="old")
    decision = deliver(annotation, alice, label="fake")
    Annotation.objects.filter(pk=annotation.pk).update(proposed={}, upstream={"label": "fake"})
    assert annotation.retriever is not None
    set_labels(
        annotation.retriever.pk,
        [Label(value="fake")],
        other_allowed=False,
        base_version=0,
        actor=adam,
    )

    batch = revert_at_once(lena_client, f"decision={decision.pk}", shown=1)

    item = batch.items.get()
    assert item.state == "failed"
    assert "is not one of this retriever's labels" in item.problem
    assert item.problem[:10] in lena_client.get(f"/reverts/{batch.pk}").text


def test_it_asks_again_when_other_decisions_match_by_now(
    lena_client: Client, alice: User, bob: User, decided: dict[str, Decision]
) -> None:
    query = f"person={alice.pk}&standing=in_force"
    preview = lena_client.get(f"/reverts/new?{query}")
    # One decision leaves the filter and another one enters it: their number stays.
    decide(decided["sent"].annotation, bob, label="real")
    decide(make_annotation(), alice, label="fake")
    response = post_preview(lena_client, query, digest_shown(preview))
    assert response.context["count"] == preview.context["count"]
    assert response.status_code == 422
    assert "Other decisions match by now." in response.text
    assert not Revert.objects.exists()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "nul\0byte"])
def test_it_needs_a_reason(
    reason: str, lena_client: Client, alice: User, decided: dict[str, Decision]
) -> None:
    response = revert(lena_client, f"person={alice.pk}", shown=7, reason=reason)
    assert response.status_code == 422
    assert not Revert.objects.exists()


@pytest.mark.parametrize("query", ["", "person=nobody", "outcome=odd"])
def test_it_reverts_nothing_without_a_valid_filter(query: str, lena_client: Client) -> None:
    response = revert(lena_client, query, shown=0)
    assert response.status_code == 422
    assert "Filter the decisions first" in response.text


def test_it_asks_for_a_narrower_filter_above_the_most(
    lena_client: Client,
    alice: User,
    decided: dict[str, Decision],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "MAX_DECISIONS", 1)
    query = f"person={alice.pk}"
    assert "More than 1 decisions match." in lena_client.get(f"/reverts/new?{query}").text
    assert revert(lena_client, query, shown=2).status_code == 422
    assert not Revert.objects.exists()


def test_it_says_that_nothing_matches(lena_client: Client) -> None:
    assert "No matching decisions" in lena_client.get("/reverts/new?outcome=confirmed").text
    assert "No matching decisions" in lena_client.get("/reverts/new?decision=999999").text
    assert revert(lena_client, "outcome=confirmed", shown=0).status_code == 422


def test_the_person_concerned_reads_the_reason_and_answers(
    lena_client: Client, alice: User, alice_client: Client, decided: dict[str, Decision]
) -> None:
    batch = revert_at_once(lena_client, f"decision={decided['sent'].pk}", shown=1)
    item = batch.items.get()
    corrections = f"/people/{alice.pk}/corrections"
    assert "wrong guideline" in alice_client.get(corrections).text

    response = alice_client.post(f"/reverts/items/{item.pk}/answer", {"answer": "It had a badge."})

    assert response["Location"] == corrections
    assert "It had a badge." in lena_client.get(f"/reverts/{batch.pk}").text
    event = Event.objects.filter(ref=f"reverts/{batch.pk}").latest("id")
    assert (event.action, event.actor_id) == ("revert.answered", alice.pk)


TOO_LONG = "It had a badge. " * 40


def test_an_answer_that_is_refused_stays_in_its_field(
    lena_client: Client, alice_client: Client, decided: dict[str, Decision]
) -> None:
    batch = revert_at_once(lena_client, f"decision={decided['sent'].pk}", shown=1)
    path = f"/reverts/items/{batch.items.get().pk}/answer"

    page = alice_client.post(path, {"answer": TOO_LONG})
    assert page.status_code == 422
    assert f'value="{TOO_LONG}"' in page.text
    assert "at most 500 characters" in page.text

    assert alice_client.post(path, {"answer": "a\0b"}).status_code == 422
    assert "This field is required." in alice_client.post(path, {"answer": " "}).text
    assert batch.items.get().answer == ""


def test_a_reason_that_is_refused_stays_in_its_field(
    lena_client: Client, decided: dict[str, Decision]
) -> None:
    batch = revert_at_once(lena_client, f"decision={decided['sent'].pk}", shown=1)
    path = f"/reverts/{batch.pk}/revert"

    page = lena_client.post(path, {"reason": TOO_LONG})
    assert page.status_code == 422
    assert f'value="{TOO_LONG}"' in page.text
    assert "at most 500 characters" in page.text

    assert "Write why" in lena_client.post(path, {"reason": " "}).text
    assert Revert.objects.count() == 1


def test_nobody_else_answers(lena_client: Client, bob: User, decided: dict[str, Decision]) -> None:
    batch = revert_at_once(lena_client, f"decision={decided['sent'].pk}", shown=1)
    path = f"/reverts/items/{batch.items.get().pk}/answer"
    assert signed_in(bob).post(path, {"answer": "mine"}).status_code == 404
    assert signed_in(bob).post(path, {"answer": ""}).status_code == 404
    assert batch.items.get().answer == ""


def test_it_is_for_leads(
    alice_client: Client, alice: User, lena: User, decided: dict[str, Decision]
) -> None:
    query = f"decision={decided['sent'].pk}"
    batch = services.start([decided["sent"].pk], reason="wrong", query=query, actor=lena)
    assert revert(alice_client, query, shown=1).status_code == 403
    for path in (f"/reverts/new?{query}", "/reverts", f"/reverts/{batch.pk}"):
        assert alice_client.get(path).status_code == 403
    assert alice_client.post(f"/reverts/{batch.pk}/revert").status_code == 403
    assert alice_client.get(f"/reverts/{batch.pk}/revert").status_code == 405


def test_a_decision_and_a_filter_lead_there(
    lena_client: Client, alice: User, alice_client: Client, decided: dict[str, Decision]
) -> None:
    key = decided["sent"].pk
    link = f'href="/reverts/new?decision={key}"'
    assert link in lena_client.get(f"/decisions/{key}").text
    assert link not in alice_client.get(f"/decisions/{key}").text
    assert link not in lena_client.get(f"/decisions/{decided['replaced'].pk}").text
    listed = lena_client.get(f"/decisions?person={alice.pk}").text
    assert f'href="/reverts/new?person={alice.pk}"' in listed
    assert "/reverts/new" not in lena_client.get("/decisions").text
