"""Upstream's retrievers are mirrored under our own undelivered changes."""

from __future__ import annotations

from typing import Any

import pytest

from reviewapp.accounts.models import User
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import acting, tracing
from reviewapp.audit.presenters.timeline import timeline
from reviewapp.mixpeek.records import RetrieverRecord
from reviewapp.outbox.models import Change
from reviewapp.retrievers import services
from reviewapp.retrievers.mirror import absorb_retriever, rebase_retriever
from reviewapp.retrievers.models import Retriever
from reviewapp.retrievers.sync_counts import SyncCounts
from tests.factories import settle_as_delivered, settle_as_refused
from tests.retrievers.edits import edit_of

pytestmark = pytest.mark.django_db


def record(**values: Any) -> RetrieverRecord:
    fields: dict[str, Any] = {
        "retriever_id": "ret_1",
        "name": "logos",
        "tags": ("a", "b"),
        "version": 1,
    } | values
    return RetrieverRecord(**fields)


@pytest.fixture
def absorbed_retriever(db: None) -> Retriever:
    assert absorb_retriever([record()]) == SyncCounts(new=1)
    return Retriever.objects.get(retriever_id="ret_1")


@pytest.fixture
def change(absorbed_retriever: Retriever, adam: User) -> Change:
    made = services.edit(
        absorbed_retriever.pk,
        edit_of(absorbed_retriever, name="brands", tags_add=("c",)),
        actor=adam,
    )
    assert made is not None
    return made


def shown() -> tuple[str, list[str]]:
    row = Retriever.objects.get(retriever_id="ret_1")
    return row.name, row.tags


def test_it_shows_undelivered_changes_on_top(change: Change) -> None:
    assert absorb_retriever([record(version=2, tags=("b", "x"))]) == SyncCounts(changed=1)
    assert shown() == ("brands", ["b", "x", "c"])
    row = Retriever.objects.get(retriever_id="ret_1")
    assert row.upstream == {"name": "logos", "description": "", "tags": ["b", "x"]}


def test_it_shows_what_upstream_says_once_they_are_settled(change: Change) -> None:
    settle_as_delivered(change)
    absorb_retriever([record(version=2, name="brands", tags=("a", "b", "c"))])
    assert shown() == ("brands", ["a", "b", "c"])
    absorb_retriever([record(version=3, name="other")])
    assert shown() == ("other", ["a", "b"])


def test_it_goes_back_to_upstreams_values_when_one_falls_away(change: Change) -> None:
    settle_as_refused(change, reason="no")
    rebase_retriever(change.ref)
    assert shown() == ("logos", ["a", "b"])


def test_it_keeps_later_changes_when_one_falls_away(change: Change, adam: User) -> None:
    row = Retriever.objects.get(retriever_id="ret_1")
    services.edit(row.pk, edit_of(row, description="Later"), actor=adam)
    settle_as_refused(change, reason="no")
    rebase_retriever(change.ref)
    row.refresh_from_db()
    assert row.values() == {"name": "logos", "description": "Later", "tags": ["a", "b"]}


def test_it_counts_the_same_answer_as_the_same(
    absorbed_retriever: Retriever, change: Change
) -> None:
    assert absorb_retriever([record()]) == SyncCounts(same=1)
    assert shown() == ("brands", ["a", "b", "c"])


def test_it_leaves_alone_what_an_answer_left_out(
    absorbed_retriever: Retriever, change: Change
) -> None:
    absorb_retriever([record(version=2, tags=(), absent=frozenset({"tags"}))])
    assert shown() == ("brands", ["a", "b", "c"])


def told_by(origin: Origin, **values: Any) -> tuple[str, str]:
    with tracing(origin), acting(None):
        absorb_retriever([record(**values)])
    entry = timeline("retrievers/ret_1")[0]
    return entry.who, entry.sentence


def test_it_names_who_mixpeek_says_changed_it(absorbed_retriever: Retriever) -> None:
    told = told_by(Origin.PULL, version=2, name="brands", updated_by="user_ops")
    assert told == ("somebody at Mixpeek (user_ops)", "renamed “logos” to “brands”")


@pytest.mark.parametrize(
    "values", [{"version": 3, "updated_by": "user_ops"}, {"version": 2, "updated_by": ""}]
)
def test_it_names_nobody_where_others_may_have_had_a_hand_in_it(
    absorbed_retriever: Retriever, values: dict[str, Any]
) -> None:
    assert told_by(Origin.WEBHOOK, name="brands", **values) == (
        "Webhook",
        "noticed that somebody at Mixpeek renamed “logos” to “brands”",
    )


def test_it_names_nobody_while_changes_of_ours_are_on_their_way(change: Change) -> None:
    assert told_by(Origin.PULL, version=2, tags=("b", "x"), updated_by="key_ours")[0] == "Pull"
