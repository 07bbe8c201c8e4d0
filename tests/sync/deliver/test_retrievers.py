"""An edit of a retriever on its way to Mixpeek, over a real socket, in both dialects."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.mixpeek.client import Client
from reviewapp.outbox import claims
from reviewapp.outbox.models import Change
from reviewapp.retrievers import services
from reviewapp.retrievers.mirror import absorb_retriever
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.deliver import drain
from reviewapp.sync.deliver import retrievers as deliver_retrievers
from reviewapp.sync.deliver.settle import settle_outcomes
from tests.retrievers.edits import edit_of
from tests.sandbox_data import document_json, retriever_json, write_data_folder
from tests.tools.sandbox.running import Box, SharedSandboxes

pytestmark = pytest.mark.django_db
_numbers = itertools.count()
_MANY = 60


@pytest.fixture(scope="module", params=["current", "2025-10"])
def shared_box(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    sandboxes: SharedSandboxes,
) -> Box:
    """A sandbox of each dialect, with a retriever for every test."""
    rows = [
        retriever_json(retriever_id=f"ret_{n}", retriever_name=f"logos {n}", tags=["a", "b"])
        for n in range(_MANY)
    ]
    folder = write_data_folder(
        tmp_path_factory.mktemp("data"), retrievers=rows, documents=[document_json(1)]
    )
    return sandboxes.namespace(folder, dialect=request.param)


@pytest.fixture
def untouched_retriever(mixpeek_client: Client) -> Retriever:
    record = mixpeek_client.get_retriever(f"ret_{next(_numbers) % _MANY}")
    absorb_retriever([record])
    return Retriever.objects.get(retriever_id=record.retriever_id)


def edit(retriever: Retriever, actor: User, **wishes: Any) -> Change:
    retriever.refresh_from_db()
    change = services.edit(retriever.pk, edit_of(retriever, **wishes), actor=actor)
    assert change is not None
    return change


def elsewhere(box: Box, retriever: Retriever, **values: Any) -> None:
    if "name" in values and not old(box):
        values["retriever_name"] = values.pop("name")
    reply = box.call("PATCH", f"/v1/retrievers/{retriever.retriever_id}", json=values)
    assert reply.status_code == 200, reply.text


def old(box: Box) -> bool:
    """Return whether this sandbox speaks the older dialect."""
    return "retriever_name" not in box.call("GET", "/v1/retrievers/ret_0").json()


def sent(box: Box) -> list[Any]:
    return [request["body"] for request in box.received(method="PATCH")]


def delivered(change: Change, client: Client) -> str:
    drain.drain(client)
    change.refresh_from_db()
    return change.state


def test_it_sends_only_what_differs_in_the_servers_spelling(
    untouched_retriever: Retriever, adam: User, box: Box, mixpeek_client: Client
) -> None:
    change = edit(
        untouched_retriever,
        adam,
        name=f"{untouched_retriever.name} anew",
        description=untouched_retriever.description,
        tags_add=("c",),
    )
    box.clear()
    assert delivered(change, mixpeek_client) == "delivered"
    spelling = "name" if old(box) else "retriever_name"
    assert sent(box) == [{spelling: f"{untouched_retriever.name} anew", "tags": ["a", "b", "c"]}]
    assert change.version == (None if old(box) else 2)
    read = mixpeek_client.get_retriever(untouched_retriever.retriever_id)
    untouched_retriever.refresh_from_db()
    assert (
        untouched_retriever.values()
        == untouched_retriever.upstream
        == deliver_retrievers.record_values(read)
    )


def test_it_never_wipes_anothers_tags(
    untouched_retriever: Retriever, adam: User, box: Box, mixpeek_client: Client
) -> None:
    change = edit(untouched_retriever, adam, tags_add=("mine",), tags_remove=("a",))
    elsewhere(box, untouched_retriever, tags=["a", "b", "theirs"])
    assert delivered(change, mixpeek_client) == "delivered"
    assert change.merged == {"tags": [["a", "b"], ["a", "b", "theirs"]]}
    assert mixpeek_client.get_retriever(untouched_retriever.retriever_id).tags == (
        "b",
        "theirs",
        "mine",
    )
    untouched_retriever.refresh_from_db()
    assert untouched_retriever.tags == ["b", "theirs", "mine"]


def test_it_delivers_what_two_admins_did_at_once(
    untouched_retriever: Retriever, adam: User, box: Box, mixpeek_client: Client
) -> None:
    seen = edit_of(untouched_retriever)
    services.edit(
        untouched_retriever.pk,
        replace(edit_of(untouched_retriever, tags_add=("one",)), base=seen.base),
        actor=adam,
    )
    services.edit(
        untouched_retriever.pk,
        replace(edit_of(untouched_retriever, tags_remove=("b",)), base=seen.base),
        actor=adam,
    )
    assert drain.drain(mixpeek_client) == 2
    assert mixpeek_client.get_retriever(untouched_retriever.retriever_id).tags == ("a", "one")


def test_it_sends_nothing_when_upstream_is_already_as_wanted(
    untouched_retriever: Retriever, adam: User, box: Box, mixpeek_client: Client
) -> None:
    change = edit(untouched_retriever, adam, description="Same", tags_add=("c",))
    elsewhere(box, untouched_retriever, description="Same", tags=["c", "a"])
    box.clear()
    assert delivered(change, mixpeek_client) == "delivered"
    assert sent(box) == []


@pytest.mark.parametrize("field", ["name", "description"])
def test_it_asks_a_person_when_somebody_set_the_same_text(
    field: str, untouched_retriever: Retriever, adam: User, box: Box, mixpeek_client: Client
) -> None:
    theirs = f"theirs {untouched_retriever.pk} {field}"
    change = edit(untouched_retriever, adam, **{field: "mine"})
    elsewhere(box, untouched_retriever, **{field: theirs})
    box.clear()
    assert delivered(change, mixpeek_client) == "conflict"
    assert sent(box) == []
    assert (change.theirs or {})[field] == theirs
    untouched_retriever.refresh_from_db()
    assert untouched_retriever.values()[field] == theirs


def test_it_says_at_the_name_that_it_is_taken(
    untouched_retriever: Retriever, adam: User, box: Box, mixpeek_client: Client
) -> None:
    change = edit(untouched_retriever, adam, name="logos 59")
    assert delivered(change, mixpeek_client) == "refused"
    assert "already exists" in change.field_errors["name"]
    untouched_retriever.refresh_from_db()
    assert untouched_retriever.name == untouched_retriever.upstream["name"]


@pytest.mark.parametrize("status", [400, 422])
def test_it_keeps_what_upstream_says_of_a_field(
    status: int, untouched_retriever: Retriever, adam: User, box: Box, mixpeek_client: Client
) -> None:
    change = edit(untouched_retriever, adam, description="Unwanted")
    problem = {"loc": ["body", "description"], "msg": "is too rude", "type": "value_error"}
    box.faults([{"method": "PATCH", "status": status, "body": {"detail": [problem]}}])
    assert delivered(change, mixpeek_client) == "refused"
    assert "is too rude" in change.field_errors["description"]
    untouched_retriever.refresh_from_db()
    assert untouched_retriever.description == "Finds vans"


def test_it_catches_a_yes_that_did_nothing(
    untouched_retriever: Retriever, adam: User, box: Box, mixpeek_client: Client
) -> None:
    change = edit(untouched_retriever, adam, name="Never")
    body = box.call("GET", f"/v1/retrievers/{untouched_retriever.retriever_id}").json()
    box.faults([{"method": "PATCH", "status": 200, "body": {"retriever": body}}])
    assert delivered(change, mixpeek_client) == "refused"
    assert list(change.field_errors) == ["name"]
    untouched_retriever.refresh_from_db()
    assert untouched_retriever.name != "Never"


def test_it_waits_while_upstream_is_away(
    untouched_retriever: Retriever, adam: User, box: Box, mixpeek_client: Client
) -> None:
    change = edit(untouched_retriever, adam, tags_add=("c",))
    box.faults([{"method": "PATCH", "status": 503}])
    assert delivered(change, mixpeek_client) == "queued"
    assert change.attempts == 1


def test_it_takes_gone_upstream_as_a_state(
    untouched_retriever: Retriever, adam: User, box: Box, mixpeek_client: Client
) -> None:
    change = edit(untouched_retriever, adam, tags_add=("c",))
    box.faults(
        [
            {
                "path": f"/v1/retrievers/{untouched_retriever.retriever_id}",
                "status": 404,
                "body": {"detail": "no"},
            }
        ]
    )
    assert delivered(change, mixpeek_client) == "refused"
    untouched_retriever.refresh_from_db()
    assert untouched_retriever.gone_at is not None


def test_it_refuses_what_has_no_row_here(
    untouched_retriever: Retriever, adam: User, mixpeek_client: Client
) -> None:
    change = edit(untouched_retriever, adam, tags_add=("c",))
    untouched_retriever.delete()
    assert delivered(change, mixpeek_client) == "refused"
    assert "deleted here" in change.reason


def test_it_records_that_somebody_got_in_between(
    untouched_retriever: Retriever, adam: User, box: Box, mixpeek_client: Client
) -> None:
    change = edit(untouched_retriever, adam, tags_add=("c",))
    read = mixpeek_client.get_retriever(untouched_retriever.retriever_id)
    elsewhere(box, untouched_retriever, description="Theirs")
    assert claims.claim(timezone.now()) == change
    change.refresh_from_db()
    settle_outcomes([deliver_retrievers.deliver_from_record(read, change, mixpeek_client)])
    change.refresh_from_db()
    assert change.state == "delivered"
    if not old(box):
        moved = {"description": ["Finds vans", "Theirs"]}
        assert change.raced == {"read": 1, "now": 3, "lost": {}, "moved": moved, "by": ""}
