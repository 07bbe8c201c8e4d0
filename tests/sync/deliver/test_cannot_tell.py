"""Can't tell, as Mixpeek is told: by our stamp alone, and reverted when its person takes it back."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.forms import initial_data
from reviewapp.annotations.decide.reopened_forms import resend_form
from reviewapp.annotations.decide.undo import undo
from reviewapp.annotations.mirror import absorb, version_authors
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.audit.models import Event
from reviewapp.audit.presenters.timeline import timeline
from reviewapp.mixpeek.client import Client
from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.sync.deliver import bulk, drain, settle
from reviewapp.sync.deliver.bulk_plan import BulkPlan, Listing
from tests.decisions import decide, queue_decision
from tests.sync.delivering import edit_elsewhere, upstream, writes
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db

WHY = "Too dark to see the door."
THEIRS = {"metadata": {"theirs": 1}, "payload": {"theirs": 2}}


@pytest.fixture(autouse=True)
def stamped(settings: Settings) -> None:
    """Tell who decided in the metadata, unless a test says otherwise."""
    settings.MIXPEEK_WHO = "metadata"


@pytest.fixture(params=["metadata", "payload"])
def where(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Each place in which who decided can be told."""
    settings.MIXPEEK_WHO = request.param
    return str(request.param)


def cannot_tell(annotation: Annotation, actor: User, **values: Any) -> Decision:
    outcome = Decision.Outcome.UNDECIDABLE
    return decide(annotation, actor, outcome=outcome, reasoning=WHY, **values)


def change_of(decision: Decision) -> Change:
    return Change.objects.get(cause=decision.decision_id)


def stamp(change: Change, decision: Decision, **outcome: str) -> dict[str, str]:
    time = change.created_at.isoformat(timespec="seconds")
    who = {"decision_id": str(decision.decision_id), "reviewer": change.actor_pseudonym}
    return {**who, "time": time, **outcome}


def expected_stamp(decision: Decision) -> dict[str, str]:
    return stamp(change_of(decision), decision, outcome="cannot_tell", reason=WHY)


def pull(annotation: Annotation, client: Client) -> Annotation:
    absorb.absorb([client.get_annotation(str(annotation.annotation_id))])
    return Annotation.objects.get(pk=annotation.pk)


def deliver_lost_reply(box: Box, client: Client) -> None:
    """Let the next PATCH be carried out and its reply be lost; then everything is due again."""
    box.faults([{"method": "PATCH", "drop": "after"}])
    drain.drain(client)
    Change.objects.filter(state="queued").update(due=timezone.now())


def another_installation(outcome: str, **more: str) -> dict[str, Any]:
    who = {"decision_id": str(uuid.uuid4()), "reviewer": "person-x", "time": "2026-11-30T09:00:00"}
    return {"reviewapp": {**who, "outcome": outcome, **more}}


def test_it_is_one_write_of_the_stamp_alone(
    where: str, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    edit_elsewhere(box, annotation, **THEIRS)
    before = upstream(box, annotation)
    pull(annotation, mixpeek_client)
    box.clear()
    decision = cannot_tell(annotation, alice)
    drain.drain(mixpeek_client)

    (patch,) = box.received(method="PATCH")
    assert patch["body"] == {where: {**THEIRS[where], "reviewapp": expected_stamp(decision)}}
    assert patch["change_reason"] == f"decision {decision.decision_id}: cannot_tell"
    change = change_of(decision)
    assert (change.state, change.version, change.merged, change.raced, change.without_author) == (
        "delivered",
        3,
        None,
        None,
        False,
    )
    assert change.progress == "Can't tell, delivered v3"

    after = upstream(box, annotation)
    for name in ("label", "confidence", "reasoning"):
        assert after[name] == before[name]
    annotation.refresh_from_db()
    assert (annotation.status, annotation.reviewer, annotation.metadata) == (
        "undecidable",
        alice,
        THEIRS["metadata"],
    )


def test_it_names_the_person_where_the_settings_say_so(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client, settings: Settings
) -> None:
    settings.MIXPEEK_REVIEWER = "username"
    cannot_tell(annotation, alice)
    drain.drain(mixpeek_client)
    shown = upstream(box, annotation)["metadata"]["reviewapp"]
    assert (shown["reviewer"], shown["outcome"], shown["reason"]) == ("alice", "cannot_tell", WHY)


def test_it_leaves_the_next_form_without_its_reason(
    annotation: Annotation, alice: User, mixpeek_client: Client
) -> None:
    cannot_tell(annotation, alice)
    drain.drain(mixpeek_client)
    data = initial_data(pull(annotation, mixpeek_client), now=timezone.now())
    assert (data["reasoning"], data["confidence"]) == ("", "")


def test_it_is_the_persons_version_with_outcome_and_reason(
    annotation: Annotation, alice: User, mixpeek_client: Client
) -> None:
    cannot_tell(annotation, alice)
    drain.drain(mixpeek_client)
    events = Event.objects.about(annotation.ref).count()
    newest, first = version_authors.versions_with_authors(pull(annotation, mixpeek_client))
    assert Event.objects.about(annotation.ref).count() == events
    assert (newest.who, newest.outcome, newest.reason) == ("alice", "cannot_tell", WHY)
    assert (newest.changes, first.outcome) == ({}, "")


def test_it_does_not_send_what_may_not_say_who_decided(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client, settings: Settings
) -> None:
    settings.MIXPEEK_WHO = "none"
    decision = cannot_tell(annotation, alice)
    box.clear()
    drain.drain(mixpeek_client)
    change = change_of(decision)
    assert box.received() == []
    assert (change.state, change.version) == ("withdrawn", None)
    assert change.progress == "Can't tell, not sent"
    assert "MIXPEEK_WHO is none" in change.why
    annotation.refresh_from_db()
    assert annotation.status == "undecidable"
    assert any("MIXPEEK_WHO is none" in str(entry.diffs) for entry in timeline(annotation.ref))


def test_it_has_nothing_to_say_of_where_mixpeek_has_no_annotation(
    unannotated: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    decision = cannot_tell(unannotated, alice, hold=0)
    drain.drain(mixpeek_client)
    assert writes(box) == []
    assert change_of(decision).why == ("Not sent: Mixpeek has no annotation of this document yet.")
    later = queue_decision(unannotated, alice, label="logo")
    drain.drain(mixpeek_client)
    later.refresh_from_db()
    assert (later.verb, later.state) == ("create", "delivered")


def test_a_label_decided_before_it_is_sent_still_creates_the_annotation(
    unannotated: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    first = cannot_tell(unannotated, alice)
    second = queue_decision(unannotated, alice, label="logo")
    drain.drain(mixpeek_client)
    drain.drain(mixpeek_client)
    second.refresh_from_db()
    assert (change_of(first).state, second.verb, second.state) == (
        "withdrawn",
        "create",
        "delivered",
    )
    assert [method for method, _ in writes(box)] == ["POST"]


def test_it_follows_the_create_that_is_still_to_be_delivered(
    unannotated: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    queue_decision(unannotated, alice, label="logo")
    decision = cannot_tell(unannotated, alice)
    drain.drain(mixpeek_client)
    drain.drain(mixpeek_client)
    assert change_of(decision).state == "delivered"
    shown = upstream(box, unannotated)
    assert (shown["label"], shown["metadata"]["reviewapp"]["outcome"]) == ("logo", "cannot_tell")


def test_it_is_proved_by_its_stamp_when_the_reply_is_lost(
    where: str, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    decision = cannot_tell(annotation, alice)
    deliver_lost_reply(box, mixpeek_client)
    drain.drain(mixpeek_client)
    change = change_of(decision)
    assert (change.state, change.version) == ("delivered", 2)
    assert len(box.received(method="PATCH")) == 1


def test_it_is_not_sent_again_after_somebody_replaced_its_stamp(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    decision = cannot_tell(annotation, alice)
    deliver_lost_reply(box, mixpeek_client)
    edit_elsewhere(box, annotation, metadata={"theirs": 1})
    drain.drain(mixpeek_client)
    assert (change_of(decision).state, change_of(decision).version) == ("delivered", 2)
    assert upstream(box, annotation)["metadata"] == {"theirs": 1}


def test_it_is_never_sent_when_undone_in_time(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    decision = cannot_tell(annotation, alice, hold=60)
    undo(decision.pk, actor=alice)
    Change.objects.filter(state="queued").update(due=timezone.now())
    drain.drain(mixpeek_client)
    assert box.received(method="PATCH") == []
    assert Change.objects.get().state == "withdrawn"


def test_it_is_reverted_upstream_when_undone_too_late(
    where: str, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    edit_elsewhere(box, annotation, **THEIRS)
    pull(annotation, mixpeek_client)
    decision = cannot_tell(annotation, alice)
    drain.drain(mixpeek_client)
    undo(decision.pk, actor=alice)
    box.clear()
    drain.drain(mixpeek_client)

    revert = Change.objects.get(verb="revert")
    (patch,) = box.received(method="PATCH")
    said = stamp(revert, decision, outcome="reverted")
    assert patch["body"] == {where: {**THEIRS[where], "reviewapp": said}}
    assert patch["change_reason"] == f"decision {decision.decision_id}: revert"
    assert (revert.state, revert.progress) == (
        "delivered",
        "“Can't tell” reverted, delivered v4",
    )
    row = pull(annotation, mixpeek_client)
    # The edit of `THEIRS` was a person's, so the item was decided at Mixpeek before.
    assert (row.status, row.decision) == ("decided", None)


def test_it_waits_again_after_it_was_reverted(
    where: str, annotation: Annotation, alice: User, mixpeek_client: Client
) -> None:
    decision = cannot_tell(annotation, alice)
    drain.drain(mixpeek_client)
    undo(decision.pk, actor=alice)
    assert pull(annotation, mixpeek_client).status == "waiting"
    drain.drain(mixpeek_client)
    row = pull(annotation, mixpeek_client)
    assert (row.status, row.decision, row.version) == ("waiting", None, 3)


def test_it_is_reverted_once_when_both_replies_are_lost(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    decision = cannot_tell(annotation, alice)
    deliver_lost_reply(box, mixpeek_client)
    undo(decision.pk, actor=alice)
    drain.drain(mixpeek_client)
    deliver_lost_reply(box, mixpeek_client)
    drain.drain(mixpeek_client)
    versions = Change.objects.order_by("id").values_list("verb", "state", "version")
    assert list(versions) == [("cannot_tell", "delivered", 2), ("revert", "delivered", 3)]
    assert len(box.received(method="PATCH")) == 2


def test_it_is_not_reverted_where_a_later_decision_stands(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    decision = cannot_tell(annotation, alice)
    drain.drain(mixpeek_client)
    undo(decision.pk, actor=alice)
    edit_elsewhere(box, annotation, metadata={})
    box.clear()
    drain.drain(mixpeek_client)
    assert writes(box) == []
    assert Change.objects.get(verb="revert").progress == "“Can't tell” reverted, delivered"


def test_its_stamp_is_removed_where_no_stamp_may_be_sent_any_more(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client, settings: Settings
) -> None:
    decision = cannot_tell(annotation, alice)
    drain.drain(mixpeek_client)
    settings.MIXPEEK_WHO = "none"
    undo(decision.pk, actor=alice)
    drain.drain(mixpeek_client)
    assert upstream(box, annotation)["metadata"] == {}
    assert pull(annotation, mixpeek_client).status == "waiting"


def test_it_neither_conflicts_nor_merges_with_an_edit_elsewhere(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    decision = cannot_tell(annotation, alice)
    edit_elsewhere(box, annotation, label="van", confidence=0.9, metadata={"theirs": 1})
    drain.drain(mixpeek_client)
    change = change_of(decision)
    assert (change.state, change.merged, change.raced) == ("delivered", None, None)
    shown = upstream(box, annotation)
    assert (shown["label"], shown["confidence"]) == ("van", 0.9)
    assert shown["metadata"] == {"theirs": 1, "reviewapp": expected_stamp(decision)}
    assert (annotation.status, annotation.label) == ("undecidable", "van")


def test_a_label_takes_its_place_without_a_conflict(
    annotation: Annotation, alice: User, bob: User, box: Box, mixpeek_client: Client
) -> None:
    cannot_tell(annotation, alice)
    drain.drain(mixpeek_client)
    later = queue_decision(pull(annotation, mixpeek_client), bob, label="van")
    drain.drain(mixpeek_client)
    later.refresh_from_db()
    assert (later.state, later.merged, later.version) == ("delivered", None, 3)
    label = Decision.objects.get(decision_id=str(later.cause))
    assert upstream(box, annotation)["metadata"] == {"reviewapp": stamp(later, label)}


def test_bulk_does_not_leave_it_standing_beside_a_label(
    annotation: Annotation, alice: User, bob: User, box: Box, mixpeek_client: Client
) -> None:
    cannot_tell(annotation, alice)
    drain.drain(mixpeek_client)
    later = queue_decision(annotation, bob, label="van")
    lists = (Listing(retriever_id="ret_logos", pages=1),)
    plan = BulkPlan(heads=(later.pk,), before=lists, after=lists)
    done = bulk.deliver_plan(plan, mixpeek_client)
    settle.settle_outcomes(done.outcomes)
    assert done.fallback == [later]
    drain.deliver_one_by_one(done.fallback, mixpeek_client)
    assert "outcome" not in upstream(box, annotation)["metadata"]["reviewapp"]


def test_it_never_goes_in_bulk_and_ranks_behind_labels(annotation: Annotation, alice: User) -> None:
    change = change_of(cannot_tell(annotation, alice))
    assert change.rank == Rank.BULK
    assert bulk.plan_backlog(Rank.BULK) == BulkPlan()


def test_it_waits_for_a_person_when_mixpeek_refuses_the_stamp(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    decision = cannot_tell(annotation, alice)
    box.faults([{"method": "PATCH", "status": 422}])
    drain.drain(mixpeek_client)
    change = change_of(decision)
    assert change.state == "refused"
    form = resend_form(Annotation.objects.get(pk=annotation.pk), str(change.pk))
    assert form is not None
    assert (form["data"]["outcome"], form["data"]["reasoning"]) == ("undecidable", WHY)


def test_it_is_refused_when_the_reply_does_not_have_it(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    decision = cannot_tell(annotation, alice)
    unchanged = upstream(box, annotation)
    box.faults([{"method": "PATCH", "status": 200, "body": unchanged}])
    drain.drain(mixpeek_client)
    change = change_of(decision)
    assert (change.state, list(change.field_errors)) == ("refused", ["metadata"])


def test_another_installations_is_shown_and_so_is_its_reversal(
    where: str, annotation: Annotation, box: Box, mixpeek_client: Client
) -> None:
    edit_elsewhere(box, annotation, **{where: another_installation("cannot_tell", reason=WHY)})
    row = pull(annotation, mixpeek_client)
    assert (row.status, row.decision, getattr(row, where)) == ("undecidable", None, {})
    newest = version_authors.versions_with_authors(row)[0]
    assert (newest.outcome, newest.reason) == ("cannot_tell", WHY)

    edit_elsewhere(box, annotation, **{where: another_installation("reverted")})
    assert pull(annotation, mixpeek_client).status == "waiting"

    reverted, said, *_ = timeline(annotation.ref)
    assert said.sentence.endswith("could not tell")
    assert reverted.sentence.endswith("undid the decision")


def test_an_undo_in_time_shows_another_installations_again(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    edit_elsewhere(box, annotation, metadata=another_installation("cannot_tell", reason=WHY))
    row = pull(annotation, mixpeek_client)
    decision = decide(row, alice, label="van", hold=60)
    undo(decision.pk, actor=alice)
    row.refresh_from_db()
    assert (row.status, row.label) == ("undecidable", "logo")


def test_it_sends_nothing_of_what_an_older_version_decided(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    decision = cannot_tell(annotation, alice)
    # Older versions enqueued nothing.
    change_of(decision).delete()
    drain.drain(mixpeek_client)
    undo(decision.pk, actor=alice)
    assert box.received(method="PATCH") == []
    assert not Change.objects.exists()


def refuse_metadata(box: Box, *, times: int) -> None:
    problem = {"loc": ["body", "metadata"], "msg": "Not permitted", "type": "extra_forbidden"}
    fault = {"method": "PATCH", "status": 422, "body": {"detail": [problem]}}
    box.faults([fault] * times)


def test_a_label_whose_stamp_is_refused_removes_it(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    cannot_tell(annotation, alice)
    drain.drain(mixpeek_client)
    change = queue_decision(annotation, alice, label="no logo")
    refuse_metadata(box, times=1)

    drain.drain(mixpeek_client)

    change.refresh_from_db()
    assert change.progress == "Delivered v3 without author"
    assert upstream(box, annotation)["label"] == "no logo"
    assert upstream(box, annotation)["metadata"] == {}


def test_a_label_is_refused_where_it_cannot_be_removed(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    cannot_tell(annotation, alice)
    drain.drain(mixpeek_client)
    before = upstream(box, annotation)
    change = queue_decision(annotation, alice, label="no logo")
    refuse_metadata(box, times=2)

    drain.drain(mixpeek_client)

    change.refresh_from_db()
    assert change.state == "refused"
    assert upstream(box, annotation) == before


def test_a_label_removes_it_where_no_stamp_may_be_sent_any_more(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client, settings: Settings
) -> None:
    cannot_tell(annotation, alice)
    drain.drain(mixpeek_client)
    settings.MIXPEEK_WHO = "none"

    change = queue_decision(annotation, alice, label="no logo")
    drain.drain(mixpeek_client)

    change.refresh_from_db()
    assert change.state == "delivered"
    assert upstream(box, annotation)["metadata"] == {}
