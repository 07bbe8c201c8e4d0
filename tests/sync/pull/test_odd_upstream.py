"""The mirror takes what it can of records that PostgreSQL cannot hold, and goes on."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from reviewapp.annotations.mirror.absorb import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.records import RevisionRecord
from reviewapp.outbox import services as outbox
from reviewapp.outbox.models import Change, Pause
from reviewapp.retrievers.sync_counts import SyncCounts
from tests.factories import (
    annotation_record,
    make_annotation,
    make_change,
    settle_as_conflict,
    settle_as_delivered,
    settle_as_refused,
)

pytestmark = pytest.mark.django_db


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "odd",
    [
        {"label": "lo\0go"},
        {"label": "x" * 500},
        {"label": "\ud800"},
        {"reasoning": "half \udfff, \0"},
        {"payload": {"k\0": "\ud800"}},
        {"payload": {"n": float("inf"), "m": float("nan"), "i": 10**5000}},
        {"payload": nested(400)},
        {"metadata": {"a": ["\0"]}},
        {"confidence": 7.5},
        {"confidence": float("nan")},
        {"confidence": -0.1},
        {"actor_id": "\0" * 300, "actor_type": "t" * 300},
        {"collection_id": "c" * 300, "execution_id": "\0", "stage_name": "s" * 300},
        {"version": 2, "revisions": (RevisionRecord(version=1, prior={"label": "\0"}),)},
    ],
    ids=", ".join,
)
def test_it_takes_what_can_be_held(odd: dict[str, Any]) -> None:
    assert absorb([annotation_record(**odd), annotation_record("ann_2")]) == SyncCounts(new=2)
    assert absorb([annotation_record(**odd)]) == SyncCounts(same=1)
    assert Annotation.objects.count() == 2


@pytest.mark.parametrize(
    "odd",
    [
        {"annotation_id": "a" * 201},
        {"annotation_id": "a\0"},
        {"document_id": "d" * 201},
        {"version": 2**31},
    ],
    ids=", ".join,
)
def test_it_leaves_out_what_has_no_usable_name(odd: dict[str, Any]) -> None:
    assert absorb(
        [annotation_record(**{"annotation_id": "ann_1"} | odd), annotation_record("ann_2")]
    ) == SyncCounts(new=1)
    assert Annotation.objects.get().annotation_id == "ann_2"


def test_it_settles_whatever_upstream_says_of_a_change() -> None:
    changes = [make_change(make_annotation()) for _ in range(3)]
    assert settle_as_delivered(changes[0], raced={"lost": {"label": "\0"}, "by": "\ud800"})
    assert settle_as_conflict(
        changes[1], theirs={"payload": {"a\0": float("inf")}}, reason="\0", version=2
    )
    assert settle_as_refused(
        changes[2], reason="no\0", field_errors={"\0": "\ud800"}, upstream_request_id="\0"
    )
    assert not Change.objects.filter(state="queued").exists()


def test_it_pauses_whatever_the_reason() -> None:
    outbox.pause(reason="key\0")
    assert Pause.objects.get().reason == "key\ufffd"


def test_it_takes_back_nothing_that_may_be_on_the_wire() -> None:
    change = make_change(make_annotation(), cause=uuid.uuid4())
    assert not outbox.withdraw(change, reason="changed my mind")
    change.refresh_from_db()
    assert change.state == "queued"
