"""A person decides many items at once: preview, one decision each, results, and undo as one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.annotations.batches import services
from reviewapp.annotations.batches.fingerprints import DamagedEntries, read_entries, write_entries
from reviewapp.annotations.decide.services import decide_locked
from reviewapp.annotations.models import Annotation, Batch, BatchItem, Decision, Revert
from reviewapp.annotations.tasks import decide_batches, revert_decisions, sweep_batches
from reviewapp.audit.models import Event
from reviewapp.outbox.models import Change
from reviewapp.retrievers.guidance.form_settings import FormSettings, Required
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.guidance.services import set_labels
from tests.decisions import decide
from tests.factories import (
    LONG_AGO,
    make_annotation,
    make_lease,
    make_result,
    make_retriever,
    settle_as_delivered,
)
from tests.people import signed_in

pytestmark = pytest.mark.django_db


def hidden(page: str, name: str) -> str:
    """Return the value of the last hidden field of this name, "" without one."""
    values = re.findall(rf'name="{name}" value="([^"]*)"', page)
    return values[-1] if values else ""


def preview(client: Client, items: list[Annotation], **typed: Any) -> Any:
    """Post the bar of the queue with these rows ticked, and return the response."""
    return client.post("/batches/preview", {"item": [item.pk for item in items], **typed})


def start(client: Client, previewed: Any, **typed: Any) -> Any:
    """Post the form of a preview, and return the response."""
    names = ("items", "shown", "query", "label", "confidence", "reasoning")
    data = {name: hidden(previewed.text, name) for name in names}
    return client.post("/batches/start", data | typed)


def decide_at_once(client: Client, items: list[Annotation], **typed: Any) -> Batch:
    """Preview, start, and let a worker do it."""
    previewed = preview(client, items, **typed)
    assert previewed.status_code == 200, previewed.text
    assert start(client, previewed).status_code == 302
    decide_batches()
    return Batch.objects.latest("id")


def results(batch: Batch) -> list[tuple[str, str]]:
    """Return state and effect of each item, in their order."""
    return [(item.state, item.effect) for item in batch.items.order_by("pk")]


def counts(previewed: Any) -> dict[str, int]:
    """Return what a preview counts."""
    return {effect.value: number for effect, number in previewed.context["counts"]}


@pytest.fixture
def vans(db: None) -> list[Annotation]:
    """Three waiting items of one retriever that the machine took for logos."""
    retriever = make_retriever()
    items = []
    for number in (1, 2, 3):
        title = f"Van {number}"
        result = make_result(retriever, document_id=f"van_{number}")
        items.append(
            make_annotation(retriever, title=title, document_id=f"van_{number}", result=result)
        )
    return items


def test_it_previews_exactly_the_selected_rows_and_decides_nothing(
    alice_client: Client, vans: list[Annotation]
) -> None:
    page = preview(alice_client, vans[:2], label="van")
    assert page.status_code == 200
    assert counts(page) == {"relabel": 2}
    assert "Van 1" in page.text
    assert "Van 2" in page.text
    assert "Van 3" not in page.text
    assert "Decide 2 items" in page.text
    assert "Nobody has used the label" in page.text
    assert not Batch.objects.exists()
    assert not Decision.objects.exists()


def test_it_makes_one_decision_each_with_the_evidence_that_was_shown(
    alice_client: Client, alice: User, vans: list[Annotation]
) -> None:
    batch = decide_at_once(
        alice_client, vans, label="van", confidence="0,8", reasoning="It has wheels."
    )
    assert results(batch) == [("done", "relabel")] * 3
    assert batch.finished_at is not None

    for item in vans:
        before = item.values()
        item.refresh_from_db()
        decision = item.decision
        assert decision is not None
        assert (item.label, item.confidence, item.reasoning) == ("van", 0.8, "It has wheels.")
        assert (item.status, item.reviewer) == ("decided", alice)
        assert item.result is not None
        assert (decision.result, decision.document_digest) == (item.result, item.result.digest)
        assert decision.base | before == decision.base
        assert decision.own_words
        change = Change.objects.get(cause=decision.decision_id)
        assert change.fields["label"] == "van"
        assert change.due is not None
        assert decision.held_for > 0


def test_without_a_label_each_item_keeps_its_own_and_is_confirmed(
    alice_client: Client, vans: list[Annotation]
) -> None:
    Annotation.objects.filter(pk=vans[1].pk).update(label="van", proposed={"label": "van"})
    unlabelled = make_annotation(vans[0].retriever, label="")
    page = preview(alice_client, [*vans, unlabelled])
    assert counts(page) == {"confirm": 3, "no_label": 1}

    batch = decide_at_once(alice_client, [*vans, unlabelled])
    assert results(batch) == [("done", "confirm")] * 3 + [("skipped", "no_label")]
    labels = Annotation.objects.filter(status="decided").order_by("pk")
    assert [item.label for item in labels] == ["logo", "van", "logo"]
    # The machine's confidence stays, and is not the person's.
    assert {item.confidence for item in labels} == {0.5}
    assert set(Decision.objects.values_list("confidence", flat=True)) == {None}
    assert set(Change.objects.values_list("verb", flat=True)) == {"confirm"}


def test_a_relabel_clears_the_machines_confidence_and_reasoning(
    alice_client: Client, vans: list[Annotation]
) -> None:
    Annotation.objects.filter(pk=vans[0].pk).update(reasoning="A round sign.")
    decide_at_once(alice_client, vans[:1], label="van")
    vans[0].refresh_from_db()
    assert (vans[0].confidence, vans[0].reasoning) == (None, "")


def test_it_skips_what_changed_after_it_was_shown_and_says_so(
    alice_client: Client, bob: User, vans: list[Annotation]
) -> None:
    decided, opened, changed = vans
    untouched, gone = make_annotation(title="Bus"), make_annotation(title="Tram")
    page = preview(alice_client, [*vans, untouched, gone], label="van")
    decide(decided, bob, label="bus")
    make_lease(opened, bob)
    Annotation.objects.filter(pk=changed.pk).update(payload={"seen": "elsewhere"})
    Annotation.objects.filter(pk=gone.pk).update(status="gone")
    assert start(alice_client, page).status_code == 302
    decide_batches()

    batch = Batch.objects.get()
    assert results(batch) == [
        ("skipped", "decided_since"),
        ("skipped", "open"),
        ("skipped", "changed_since"),
        ("done", "relabel"),
        ("skipped", "gone"),
    ]
    decided.refresh_from_db()
    assert (decided.label, decided.reviewer) == ("bus", bob)
    assert Decision.objects.count() == 2
    shown = alice_client.get(f"/batches/{batch.pk}").text
    assert "Skipped: somebody has decided it since" in shown
    assert "bob has it open." in shown
    assert "Skipped: it has changed since it was shown" in shown


def test_the_preview_says_what_would_be_skipped_or_refused(
    alice_client: Client, bob: User, adam: User, vans: list[Annotation]
) -> None:
    make_lease(vans[0], bob)
    make_lease(vans[1], bob, seconds=-1)
    strict = make_retriever("Strict")
    set_labels(strict.pk, [Label(value="real")], other_allowed=False, base_version=0, actor=adam)
    refused = make_annotation(strict)
    Annotation.objects.filter(pk=vans[2].pk).update(status="gone")

    page = preview(alice_client, [*vans, refused], label="van")
    assert counts(page) == {"open": 1, "relabel": 1, "refused": 1, "gone": 1}
    assert "is not one of this retriever" in page.text
    assert '<option value="real">' in page.text


def test_it_refuses_what_the_label_set_requires_as_for_a_single_item(
    alice_client: Client, adam: User, vans: list[Annotation]
) -> None:
    assert vans[0].retriever is not None
    set_labels(
        vans[0].retriever.pk,
        [Label(value="van")],
        other_allowed=True,
        settings=FormSettings(reasoning_required=Required.ALWAYS),
        base_version=0,
        actor=adam,
    )
    assert counts(preview(alice_client, vans, label="Van")) == {"refused": 3}
    batch = decide_at_once(alice_client, vans, label="Van", reasoning="Wheels.")
    assert results(batch) == [("done", "relabel")] * 3
    vans[0].refresh_from_db()
    # In the form that the label set spells it.
    assert vans[0].label == "van"


def test_it_takes_all_that_the_filter_matches_in_the_order_of_the_list(
    alice_client: Client, vans: list[Annotation]
) -> None:
    make_annotation(title="Bus", words="something else")
    least_sure = Annotation.objects.filter(pk=vans[2].pk)
    least_sure.update(confidence=0.1)
    decide(vans[0], make_reviewer("carl"), label="van")

    query = f"?retriever={vans[0].retriever_id}"
    page = alice_client.post("/batches/preview", {"matching": "1", "query": query})
    assert [row.title for row in page.context["preview"].rows] == ["Van 3", "Van 2"]
    assert f'href="/annotations{query}"' in page.text
    assert start(alice_client, page).status_code == 302
    assert Batch.objects.get().query == query


def make_reviewer(name: str) -> User:
    """Return another reviewer."""
    person = User.objects.create(username=name, username_key=name)
    person.groups.set([Group.objects.get(name=roles.REVIEWER)])
    return person


def test_it_takes_a_thousand_at_a_time_and_says_that_more_match(
    alice_client: Client, vans: list[Annotation]
) -> None:
    copies = []
    for number in range(services.MAX_ITEMS):
        copies.append(
            Annotation(
                ref=f"annotations/copy_{number}",
                document_id=f"copy_{number}",
                label="logo",
                seen_at=LONG_AGO,
                retriever=vans[0].retriever,
            )
        )
    Annotation.objects.bulk_create(copies)
    page = alice_client.post("/batches/preview", {"matching": "1", "query": "", "label": "van"})
    assert page.context["count"] == services.MAX_ITEMS
    assert "More items match. These are the first 1,000" in page.text
    assert start(alice_client, page).status_code == 302
    assert Batch.objects.get().items.count() == services.MAX_ITEMS


def test_it_asks_the_database_little_for_each_item_of_a_preview(
    alice_client: Client, vans: list[Annotation], django_assert_max_num_queries: Any
) -> None:
    more = [make_annotation(vans[0].retriever) for _ in range(60)]
    preview(alice_client, vans, label="logo")
    with django_assert_max_num_queries(20):
        preview(alice_client, more, label="van")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("label", "x" * 101, "100 characters"),
        ("label", "a\nb", "line"),
        ("confidence", "1.5", "from 0 to 1"),
        ("confidence", "sure", "number from 0 to 1"),
        ("reasoning", "x" * 5001, "5,000"),
    ],
)
def test_bad_input_is_told_at_its_field_and_nothing_typed_is_lost(
    alice_client: Client, vans: list[Annotation], name: str, text: str, sentence: str
) -> None:
    typed = {"label": "van", "confidence": "0.7", "reasoning": "Wheels.", name: text}
    page = preview(alice_client, vans, **typed)
    assert page.status_code == 422
    error = re.search(rf'id="{name}-error">([^<]*)<', page.text)
    assert error
    assert sentence in error[1]
    assert text in page.text
    assert "Van 1" in page.text
    assert hidden(page.text, "items") == " ".join(str(item.pk) for item in vans)
    assert "Decide 3 items" not in page.text

    previewed = preview(alice_client, vans)
    assert start(alice_client, previewed, **typed).status_code == 422
    assert not Batch.objects.exists()


@pytest.mark.parametrize("entries", ["", "x", "1:2", "1:0-" + "g" * 32, "-1:0-" + "a" * 32])
def test_a_damaged_form_starts_nothing(
    alice_client: Client, vans: list[Annotation], entries: str
) -> None:
    page = start(alice_client, preview(alice_client, vans, label="van"), shown=entries)
    assert page.status_code == 422
    assert "This form is damaged" in page.text
    assert not Batch.objects.exists()


def test_what_a_form_invents_is_decided_by_nobody(
    alice_client: Client, vans: list[Annotation]
) -> None:
    page = preview(alice_client, vans, label="van")
    invented = f"{vans[0].pk}:0-{'a' * 32} 987654321:0-{'a' * 32}"
    assert start(alice_client, page, shown=invented).status_code == 302
    decide_batches()
    assert results(Batch.objects.get()) == [("skipped", "changed_since")]


def test_nothing_selected_is_said(alice_client: Client) -> None:
    page = preview(alice_client, [], label="van")
    assert page.status_code == 422
    assert "No items are selected" in page.text


def test_it_shows_progress_and_goes_on_after_a_crash(
    alice_client: Client, vans: list[Annotation]
) -> None:
    started = start(alice_client, preview(alice_client, vans, label="van"))
    page = alice_client.get(started["Location"]).text
    assert 'value="0"' in page
    assert 'hx-trigger="every 2s"' in page
    refused = alice_client.post(f"{started['Location']}/undo", follow=True)
    assert "Wait until it has finished" in refused.text

    batch = Batch.objects.get()
    first = batch.items.order_by("pk").first()
    assert first is not None
    BatchItem.objects.filter(pk=first.pk).update(state="skipped", effect="gone", done_at=LONG_AGO)
    sweep_batches(0)
    assert results(batch) == [("skipped", "gone"), ("done", "relabel"), ("done", "relabel")]
    page = alice_client.get(started["Location"]).text
    assert 'value="3"' in page
    assert "every 2s" not in page


def test_an_item_that_fails_keeps_no_other_from_being_decided(
    alice_client: Client, vans: list[Annotation], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_once(annotation: Annotation, *args: Any, **options: Any) -> Decision:
        if annotation.pk == vans[1].pk:
            raise RuntimeError("a defect")
        return decide_locked(annotation, *args, **options)

    monkeypatch.setattr(services, "decide_locked", fail_once)
    batch = decide_at_once(alice_client, vans, label="van")
    assert [state for state, _ in results(batch)] == ["done", "failed", "done"]
    assert "unexpected error" in batch.items.get(state="failed").problem


def test_it_stops_when_its_person_may_no_longer_decide(
    alice_client: Client, alice: User, vans: list[Annotation]
) -> None:
    start(alice_client, preview(alice_client, vans, label="van"))
    alice.groups.clear()
    decide_batches()
    batch = Batch.objects.get()
    assert batch.stopped == "alice may no longer decide."
    assert not Decision.objects.exists()


def test_a_second_press_decides_nothing_twice(alice_client: Client, vans: list[Annotation]) -> None:
    page = preview(alice_client, vans, label="van")
    start(alice_client, page)
    start(alice_client, page)
    decide_batches()
    assert Decision.objects.count() == 3
    assert results(Batch.objects.latest("id")) == [("skipped", "decided_since")] * 3


def test_its_person_undoes_it_as_one(alice_client: Client, vans: list[Annotation]) -> None:
    batch = decide_at_once(alice_client, vans, label="van")
    sent = batch.items.order_by("pk")[0].decision
    assert sent is not None
    change = Change.objects.get(cause=sent.decision_id)
    settle_as_delivered(change, version=2)
    Annotation.objects.filter(pk=vans[0].pk).update(upstream={"label": "van"}, version=2)

    undone = alice_client.post(f"/batches/{batch.pk}/undo")
    assert undone.status_code == 302
    revert_decisions()
    revert = Revert.objects.get()
    effects = [(item.state, item.effect) for item in revert.items.order_by("pk")]
    assert effects == [("done", "restore"), ("done", "withdraw"), ("done", "withdraw")]
    for item in vans:
        item.refresh_from_db()
    assert [item.label for item in vans] == ["logo"] * 3
    assert [item.status for item in vans] == ["decided", "waiting", "waiting"]

    page = alice_client.get(undone["Location"])
    assert page.status_code == 200
    assert f"Batch {batch.pk}" in page.text
    # Pressed again, it leads to the same undo.
    assert alice_client.post(f"/batches/{batch.pk}/undo")["Location"] == undone["Location"]
    assert "This batch was undone" in alice_client.get(f"/batches/{batch.pk}").text
    alice = revert.actor
    assert "Reverted by a lead" not in alice_client.get(f"/people/{alice.pk}/corrections").text


def test_an_undo_of_a_batch_can_be_undone_by_its_person(
    alice_client: Client, vans: list[Annotation]
) -> None:
    batch = decide_at_once(alice_client, vans, label="van")
    alice_client.post(f"/batches/{batch.pk}/undo")
    revert_decisions()
    undo = Revert.objects.get()
    again = alice_client.post(f"/reverts/{undo.pk}/revert", {"reason": "it was right"})
    assert again.status_code == 302
    revert_decisions()
    assert set(Annotation.objects.values_list("label", flat=True)) == {"van"}


def test_others_see_neither_the_batch_nor_its_undo(
    alice_client: Client, bob: User, lena: User, vans: list[Annotation]
) -> None:
    batch = decide_at_once(alice_client, vans, label="van")
    bob_client, lena_client = signed_in(bob), signed_in(lena)
    assert bob_client.get(f"/batches/{batch.pk}").status_code == 403
    assert bob_client.post(f"/batches/{batch.pk}/undo").status_code == 403
    assert f"/batches/{batch.pk}" not in bob_client.get("/batches").text
    assert f"/batches/{batch.pk}" in alice_client.get("/batches").text
    assert f"/batches/{batch.pk}" in lena_client.get("/batches").text

    undone = lena_client.post(f"/batches/{batch.pk}/undo")
    revert_decisions()
    assert set(Annotation.objects.values_list("label", flat=True)) == {"logo"}
    # A lead's undo of somebody else's batch is a lead's revert.
    assert bob_client.get(undone["Location"]).status_code == 403


def test_the_history_says_who_did_it_and_groups_it(
    alice_client: Client, alice: User, vans: list[Annotation]
) -> None:
    batch = decide_at_once(alice_client, vans, label="van")
    events = Event.objects.filter(request_id=f"batch-{batch.pk}").order_by("id")
    actions = {(event.action, event.actor_id, event.origin) for event in events}
    assert ("annotation.relabelled", alice.pk, "web") in actions
    assert ("batch.finished", alice.pk, "web") in actions
    started = Event.objects.get(action="batch.started")
    assert (started.ref, started.changes["label"]) == (f"batches/{batch.pk}", [None, "van"])


def test_it_is_sent_after_what_people_decide_one_by_one(
    alice_client: Client, vans: list[Annotation]
) -> None:
    decide_at_once(alice_client, vans[:1], label="van")
    in_batch = Change.objects.get()
    single = decide(vans[1], make_reviewer("carl"), label="van").change
    assert single is not None
    assert in_batch.rank > single.rank


def test_entries_are_read_as_they_were_written() -> None:
    shown = {7: f"0-{'a' * 32}", 12: f"345-{'0' * 32}"}
    assert read_entries(write_entries(shown)) == shown
    with pytest.raises(DamagedEntries):
        read_entries("7:0-short")
