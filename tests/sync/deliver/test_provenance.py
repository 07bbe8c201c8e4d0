"""Who decided is told upstream, and comes back as nobody's edit."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.annotations.mirror import absorb, authorship
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.sync.deliver import drain, settle
from reviewapp.sync.deliver.bulk import deliver_plan as deliver_in_bulk
from reviewapp.sync.deliver.bulk_plan import BulkPlan, Listing
from tests.decisions import queue_decision
from tests.sync.delivering import edit_elsewhere, upstream, writes
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["metadata", "payload"])
def where(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Tell who decided, in one place and in the other."""
    settings.MIXPEEK_WHO = request.param
    return str(request.param)


def said(change: Change) -> dict[str, str]:
    time = change.created_at.isoformat(timespec="seconds")
    return {"decision_id": str(change.cause), "reviewer": change.actor_pseudonym, "time": time}


def test_it_rides_on_the_patch_beside_what_is_there(
    where: str, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    edit_elsewhere(box, annotation, **{where: {"theirs": 1}})
    absorb.absorb([mixpeek_client.get_annotation(annotation.annotation_id or "")])
    change = queue_decision(annotation, alice, label="no logo")
    box.clear()
    drain.drain(mixpeek_client)
    (written,) = writes(box)
    assert written == (
        "PATCH",
        {"label": "no logo", where: {"theirs": 1, "reviewapp": said(change)}},
    )
    change.refresh_from_db()
    assert (change.state, change.merged, change.raced, change.version) == (
        "delivered",
        None,
        None,
        3,
    )


def test_it_is_nobodys_edit(
    where: str, annotation: Annotation, alice: User, bob: User, box: Box, mixpeek_client: Client
) -> None:
    queue_decision(annotation, alice, label="no logo")
    drain.drain(mixpeek_client)
    annotation.refresh_from_db()
    assert annotation.payload == {}
    assert annotation.upstream["metadata"] == {}
    second = queue_decision(annotation, bob, label="partial logo")
    drain.drain(mixpeek_client)
    second.refresh_from_db()
    assert (second.state, second.merged, second.raced, second.version) == (
        "delivered",
        None,
        None,
        3,
    )
    annotation.refresh_from_db()
    assert [list(edit["prior"]) for edit in annotation.revisions] == [["label"], ["label"]]


def test_it_says_who_decided_what_somebody_else_has_set_already(
    where: str, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    edit_elsewhere(box, annotation, label="no logo")
    box.clear()
    drain.drain(mixpeek_client)
    assert writes(box) == [("PATCH", {"label": "no logo", where: {"reviewapp": said(change)}})]


def test_it_sends_nothing_again_once_its_stamp_is_there(
    where: str, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    box.faults([{"method": "PATCH", "drop": "after"}])
    drain.drain(mixpeek_client)
    Change.objects.update(due=timezone.now())
    box.clear()
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert (change.state, change.version, writes(box)) == ("delivered", 2, [])


def test_it_tells_the_username_only_where_that_is_wanted(
    where: str,
    annotation: Annotation,
    alice: User,
    box: Box,
    mixpeek_client: Client,
    settings: Settings,
) -> None:
    settings.MIXPEEK_REVIEWER = "username"
    queue_decision(annotation, alice, label="no logo")
    drain.drain(mixpeek_client)
    assert upstream(box, annotation)[where]["reviewapp"]["reviewer"] == "alice"


def test_it_says_whose_hand_it_was_even_when_we_lost_count(
    where: str, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    drain.drain(mixpeek_client)
    Change.objects.filter(pk=change.pk).update(version=None)
    annotation.refresh_from_db()
    newest = authorship.upstream_versions(annotation, list(Change.objects.about(annotation.ref)))[0]
    assert (newest.version, newest.whose, newest.name) == (2, authorship.AuthorKind.OURS, "alice")
    assert list(newest.changes) == ["label"]


def test_it_still_sees_what_others_set_beside_it(
    where: str, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    queue_decision(annotation, alice, label="no logo")
    drain.drain(mixpeek_client)
    there = upstream(box, annotation)[where]
    edit_elsewhere(box, annotation, **{where: there | {"theirs": 1}})
    change = queue_decision(annotation, alice, label="partial logo")
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert upstream(box, annotation)[where] == {"theirs": 1, "reviewapp": said(change)}
    assert change.state == "delivered"


def test_it_is_told_of_what_is_created(
    where: str,
    annotation: Annotation,
    unannotated: Annotation,
    alice: User,
    box: Box,
    mixpeek_client: Client,
) -> None:
    change = queue_decision(unannotated, alice, label="logo")
    drain.drain(mixpeek_client)
    assert upstream(box, unannotated)[where] == {"reviewapp": said(change)}
    unannotated.refresh_from_db()
    assert unannotated.payload == {}


def test_it_leaves_a_refused_stamp_out(
    where: str, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    problem = {
        "loc": ["body", where],
        "msg": "Extra inputs are not permitted",
        "type": "extra_forbidden",
    }
    box.faults([{"method": "PATCH", "status": 422, "body": {"detail": [problem]}}])
    box.call("DELETE", "/_sandbox/requests")
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert change.state == "delivered"
    assert [body.keys() for _, body in writes(box)] == [{"label", where}, {"label"}]


def test_it_goes_in_bulk_only_where_bulk_takes_it(
    where: str, annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    lists = (Listing(retriever_id="ret_logos", pages=1),)
    done = deliver_in_bulk(BulkPlan(heads=(change.pk,), before=lists, after=lists), mixpeek_client)
    settle.settle_outcomes(done.outcomes)
    change.refresh_from_db()
    assert change.state == "delivered"
    now = upstream(box, annotation)
    assert (now["payload"] or {}) == ({"reviewapp": said(change)} if where == "payload" else {})
    assert not now["metadata"]


@pytest.mark.parametrize("metadata", [{"a": 1}, None])
def test_it_does_not_stand_in_the_way_of_metadata_that_a_script_sets(
    metadata: dict[str, Any] | None,
    annotation: Annotation,
    alice: User,
    box: Box,
    mixpeek_client: Client,
    settings: Settings,
) -> None:
    settings.MIXPEEK_WHO = "metadata"
    edit_elsewhere(box, annotation, metadata={"b": 2})
    absorb.absorb([mixpeek_client.get_annotation(annotation.annotation_id or "")])
    annotation.refresh_from_db()
    change = queue_decision(
        annotation, alice, metadata=metadata, base=annotation.seen() | {"metadata": {"b": 2}}
    )
    box.clear()
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    wanted = {"a": 1, "reviewapp": said(change)} if metadata else {}
    assert writes(box) == [("PATCH", {"metadata": wanted})]
    assert change.state == "delivered"
    assert upstream(box, annotation)["metadata"] == wanted
    assert change.rank == Rank.INTERACTIVE


def test_it_tells_nobody_when_told_not_to(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client, settings: Settings
) -> None:
    settings.MIXPEEK_WHO = "none"
    queue_decision(annotation, alice, label="no logo")
    box.clear()
    drain.drain(mixpeek_client)
    assert writes(box) == [("PATCH", {"label": "no logo"})]
