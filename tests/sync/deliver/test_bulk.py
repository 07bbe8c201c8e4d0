"""A backlog delivered in bulk over a real socket: few requests, the same promises."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.outbox import claims
from reviewapp.outbox.models import Change, Pause
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.deliver import bulk, drain
from reviewapp.sync.deliver.bulk_plan import BulkPlan
from tests.sandbox_data import annotation_json, document_json, retriever_json, write_data_folder
from tests.tools.sandbox.running import Box, SharedSandboxes

pytestmark = pytest.mark.django_db
MANY = 60
BASE: dict[str, Any] = {"label": "logo", "confidence": 0.25, "reasoning": "", "payload": {}}


@pytest.fixture
def box(tmp_path: Path, sandboxes: SharedSandboxes) -> Box:
    """A sandbox with as many annotations as are decided on here."""
    annotations = map(annotation_json, range(MANY))
    documents = map(document_json, range(MANY))
    folder = write_data_folder(
        tmp_path, retrievers=[retriever_json()], documents=documents, annotations=annotations
    )
    return sandboxes.namespace(folder)


@pytest.fixture
def changes(box: Box, mixpeek_client: Client) -> list[Change]:
    """Return a change of each annotation (`ann_00000`, `ann_00001`, ...), waiting for delivery."""
    Retriever.objects.create(retriever_id="ret_vans", name="vans", seen_at=timezone.now())
    absorb.absorb(mixpeek_client.list_annotations(limit=500).items)
    rows = [promised(row) for row in Annotation.objects.order_by("annotation_id")]
    box.clear()
    return Change.objects.bulk_create(rows)


def promised(row: Annotation, **values: Any) -> Change:
    fields = {
        "fields": {"label": "no logo"},
        "base": BASE,
        "rank": Rank.BULK,
        "due": timezone.now(),
    } | values
    return Change(
        ref=row.ref, cause=uuid.uuid4(), actor_name="alice", retriever_id="ret_vans", **fields
    )


def in_bulk(client: Client) -> None:
    """Deliver what is planned, without the rounds of single deliveries before it."""
    groups = bulk.plan_backlog(Rank.BULK)
    assert len(groups.heads) == MANY
    assert drain.deliver_in_bulk(groups, Rank.BULK, client)


def states() -> dict[str, int]:
    counts: dict[str, int] = {}
    for state in Change.objects.values_list("state", flat=True):
        counts[state] = counts.get(state, 0) + 1
    return counts


def now(box: Box, number: int) -> dict[str, Any]:
    annotation: dict[str, Any] = box.call("GET", f"/v1/annotations/ann_{number:05}").json()
    return annotation


def edit(box: Box, number: int, **values: Any) -> None:
    assert box.call("PATCH", f"/v1/annotations/ann_{number:05}", json=values).status_code == 200


def received_calls(box: Box) -> list[str]:
    return [
        f"{request['method']} {request['path'].removeprefix('/v1/annotations')}"
        for request in box.received()
    ]


def test_it_takes_three_requests_for_all(
    changes: list[Change], box: Box, mixpeek_client: Client
) -> None:
    in_bulk(mixpeek_client)
    assert received_calls(box) == ["POST /list", "POST /bulk", "POST /list"]
    assert states() == {"delivered": MANY}
    row, change = (
        Annotation.objects.get(annotation_id="ann_00007"),
        Change.objects.get(pk=changes[7].pk),
    )
    assert (row.label, row.version, row.upstream["label"]) == ("no logo", 2, "no logo")
    assert (change.version, change.raced, change.merged) == (2, None, None)
    assert (now(box, 7)["label"], now(box, 7)["version"]) == ("no logo", 2)


@pytest.mark.parametrize("rank", [Rank.BULK, Rank.INTERACTIVE])
def test_it_is_found_by_a_worker_whose_round_was_full(
    rank: Rank, changes: list[Change], box: Box, mixpeek_client: Client
) -> None:
    Change.objects.update(rank=rank)
    assert drain.drain(mixpeek_client) == MANY
    assert states() == {"delivered": MANY}
    assert len(box.received()) == 2 * 16 + 3


def test_it_judges_each_as_ever(changes: list[Change], box: Box, mixpeek_client: Client) -> None:
    edit(box, 0, label="partial")
    edit(box, 1, confidence=0.75)
    edit(box, 2, label="no logo")
    in_bulk(mixpeek_client)
    conflict, merged, replay = (Change.objects.get(pk=changes[number].pk) for number in range(3))
    assert (conflict.state, conflict.theirs and conflict.theirs["label"]) == ("conflict", "partial")
    assert (merged.state, merged.merged) == ("delivered", {"confidence": [0.25, 0.75]})
    assert (replay.state, now(box, 2)["version"]) == ("delivered", 2)
    assert Annotation.objects.get(annotation_id="ann_00000").label == "partial"


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": "after"},
        {"apply": True, "status": 503},
        {"apply": True, "status": 200, "body": "<html>"},
        {"truncate": 9},
    ],
    ids=str,
)
def test_it_knows_its_own_work_again_after_a_lost_answer(
    fault: dict[str, Any], changes: list[Change], box: Box, mixpeek_client: Client
) -> None:
    box.faults([{"path": "/v1/annotations/bulk", **fault}])
    assert not drain.deliver_in_bulk(bulk.plan_backlog(Rank.BULK), Rank.BULK, mixpeek_client)
    assert states() == {"queued": MANY}
    assert set(Change.objects.values_list("attempts", flat=True)) == {1}
    assert Change.objects.filter(due__gt=timezone.now()).count() == MANY
    Change.objects.update(due=timezone.now())
    while drain.drain(mixpeek_client):
        pass
    assert states() == {"delivered": MANY}
    assert {now(box, number)["version"] for number in (0, MANY - 1)} == {2}


def test_it_finds_what_a_worker_wrote_that_died_before_it_settled(
    changes: list[Change], box: Box, mixpeek_client: Client
) -> None:
    bulk.deliver_plan(bulk.plan_backlog(Rank.BULK), mixpeek_client)
    assert states() == {"queued": MANY}
    assert bulk.plan_backlog(Rank.BULK) == BulkPlan()
    Change.objects.update(due=timezone.now() - timedelta(seconds=1))
    in_bulk(mixpeek_client)
    assert states() == {"delivered": MANY}
    assert now(box, 5)["version"] == 2


@pytest.mark.parametrize("status", [429, 503])
def test_it_waits_when_mixpeek_cannot(
    status: int, changes: list[Change], box: Box, mixpeek_client: Client
) -> None:
    box.faults(
        [{"path": "/v1/annotations/list", "status": status, "headers": {"Retry-After": "70"}}]
    )
    before = timezone.now()
    assert not drain.deliver_in_bulk(bulk.plan_backlog(Rank.BULK), Rank.BULK, mixpeek_client)
    assert (
        Change.objects.filter(due__gte=before + timedelta(seconds=70), claimed_at=None).count()
        == MANY
    )


def test_it_pauses_when_our_key_is_refused(
    changes: list[Change], box: Box, mixpeek_client: Client
) -> None:
    box.faults([{"path": "/v1/annotations/bulk", "status": 403}])
    assert not drain.deliver_in_bulk(bulk.plan_backlog(Rank.BULK), Rank.BULK, mixpeek_client)
    assert Pause.objects.exists()
    assert set(Change.objects.values_list("attempts", "claimed_at")) == {(0, None)}


def test_it_goes_one_by_one_where_bulk_is_refused(
    changes: list[Change], box: Box, mixpeek_client: Client
) -> None:
    box.faults([{"path": "/v1/annotations/bulk", "status": 422}])
    in_bulk(mixpeek_client)
    assert states() == {"delivered": MANY}


def test_it_goes_one_by_one_with_what_failed_or_is_not_in_the_list(
    changes: list[Change], box: Box, mixpeek_client: Client
) -> None:
    box.call("DELETE", "/v1/annotations/ann_00003")
    failed = {"operation": "update", "success": False, "annotation_id": "ann_00004", "error": "no"}
    box.faults([{"path": "/v1/annotations/bulk", "body": {"results": [failed]}, "status": 200}])
    in_bulk(mixpeek_client)
    assert states() == {"delivered": MANY - 1, "refused": 1}
    assert Annotation.objects.get(annotation_id="ann_00003").status == "gone"
    assert now(box, 4)["label"] == "no logo"


def test_it_asks_a_person_when_a_yes_did_nothing(
    changes: list[Change], box: Box, mixpeek_client: Client
) -> None:
    lies = [
        {"operation": "update", "success": True, "annotation_id": f"ann_{number:05}"}
        for number in range(MANY)
    ]
    box.faults([{"path": "/v1/annotations/bulk", "body": {"results": lies}, "status": 200}])
    in_bulk(mixpeek_client)
    assert states() == {"delivered": MANY}
    assert now(box, 9)["label"] == "no logo"


def test_it_records_the_words_it_wrote_over(
    changes: list[Change], box: Box, mixpeek_client: Client
) -> None:
    class Meddler(Client):
        """The real client, with a stranger who edits between our read and our write."""

        def bulk_annotations(self, updates: Any, *, change_reason: str = "") -> Any:
            edit(box, 6, label="partial")
            done = super().bulk_annotations(updates, change_reason=change_reason)
            edit(box, 7, label="theirs, later")
            return done

    with Meddler(base_url=box.url, api_key=box.key, namespace=box.namespace) as client:
        in_bulk(client)
    raced, later = (Change.objects.get(pk=changes[number].pk) for number in (6, 7))
    assert raced.raced is not None
    assert (raced.raced["lost"], raced.version) == ({"label": "partial"}, 3)
    assert (later.state, later.version, later.raced) == ("delivered", 2, None)
    assert Annotation.objects.get(annotation_id="ann_00007").label == "theirs, later"


def test_it_writes_nothing_once_its_claims_ran_out(
    changes: list[Change], box: Box, mixpeek_client: Client
) -> None:
    class Sleeper(Client):
        """The real client of a process that stalls after a read while another takes over."""

        def list_annotations(self, **filters: Any) -> Any:
            page = super().list_annotations(**filters)
            Change.objects.update(due=timezone.now() + claims.CLAIM_DURATION * 2)
            return page

        @property
        def longest_call(self) -> float:
            return claims.CLAIM_DURATION.total_seconds() * 3

    with Sleeper(base_url=box.url, api_key=box.key, namespace=box.namespace) as client:
        bulk.deliver_plan(bulk.plan_backlog(Rank.BULK), client)
    assert [call for call in received_calls(box) if call == "POST /bulk"] == []


@pytest.mark.parametrize(
    "values",
    [
        {"fields": {"metadata": {"a": 1}}},
        {"attempts": 1},
        {"verb": Change.Verb.CREATE},
        {"retriever_id": ""},
        {"rank": Rank.INTERACTIVE},
    ],
    ids=str,
)
def test_it_plans_only_what_bulk_can_do(
    values: dict[str, Any], changes: list[Change], box: Box, mixpeek_client: Client
) -> None:
    Change.objects.filter(pk=changes[0].pk).update(**values)
    assert changes[0].pk not in bulk.plan_backlog(Rank.BULK).heads
    assert len(bulk.plan_backlog(Rank.BULK).heads) == MANY - 1


@pytest.mark.parametrize(
    ("who", "requests_a_minute", "one_by_one"),
    [("metadata", 60, 30), ("metadata", 6_000, MANY), ("payload", 60, 0)],
)
def test_a_relabel_keeps_its_author_where_a_minute_pays_for_it(
    who: str,
    requests_a_minute: int,
    one_by_one: int,
    changes: list[Change],
    settings: Settings,
) -> None:
    settings.MIXPEEK_WHO = who
    settings.MIXPEEK_REQUESTS_PER_MINUTE = requests_a_minute

    plan = bulk.plan_backlog(Rank.BULK)

    assert set(plan.heads) == {change.pk for change in changes[one_by_one:]}


def test_it_takes_the_oldest_of_each_ref_only(
    changes: list[Change], box: Box, mixpeek_client: Client
) -> None:
    row = Annotation.objects.get(annotation_id="ann_00000")
    later = promised(row, fields={"label": "last"}, base=BASE | {"label": "no logo"})
    later.save()
    in_bulk(mixpeek_client)
    assert now(box, 0)["label"] == "no logo"
    assert Change.objects.get(pk=later.pk).state == "queued"
