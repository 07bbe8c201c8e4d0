"""What Mixpeek does not have: history and deliveries as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.api import tokens
from reviewapp.outbox.models import Change
from tests.api.conftest import Caller
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db


def events(caller: Caller, **filters: Any) -> list[dict[str, Any]]:
    reply = caller("POST", "/v1/history/list", filters)
    assert reply.status_code == 200, reply.content
    rows: list[dict[str, Any]] = reply.json()["results"]
    return rows


def test_it_tells_the_history_by_every_filter(
    as_lena: Caller, as_alice: Caller, alice: User
) -> None:
    row = make_annotation()
    reply = as_alice("PATCH", f"/v1/annotations/{row.annotation_id}", {"label": "van"})
    (event,) = events(as_lena, action="annotation.relabelled")
    assert (event["actor_name"], event["origin"], event["ref"]) == ("alice", "api", row.ref)
    assert event["changes"]["label"] == ["logo", "van"]
    assert (event["request_id"], event["sentence"]) == (
        reply["X-Request-ID"],
        "relabelled “logo” to “van”",
    )
    for filters in (
        {"actor_id": alice.pk},
        {"ref": row.ref},
        {"retriever_id": event["retriever_id"]},
        {"label_from": "logo", "label_to": "van"},
        {"since": event["at"]},
        {"q": "van"},
    ):
        assert event["event_id"] in [listed["event_id"] for listed in events(as_lena, **filters)], (
            filters
        )
    for filters in (
        {"no_person": True},
        {"until": event["at"]},
        {"label_to": "bus"},
        {"q": "nowhere"},
    ):
        assert event["event_id"] not in [
            listed["event_id"] for listed in events(as_lena, **filters)
        ], filters


def test_it_finds_what_was_made_here_by_the_id_that_the_api_shows(
    as_lena: Caller, as_alice: Caller
) -> None:
    reply = as_alice(
        "POST",
        "/v1/annotations",
        {"document_id": "doc_1", "collection_id": "col_1", "label": "van"},
    )
    assert reply.status_code == 200, reply.content
    ours = f"annotations/{reply.json()['annotation_id']}"
    Annotation.objects.filter(ref=ours).update(annotation_id="ann_7f3a")
    rows = events(as_lena, ref="annotations/ann_7f3a")
    assert {event["ref"] for event in rows} == {ours}
    assert {"annotation.created", "change.queued"} <= {event["action"] for event in rows}
    assert rows == events(as_lena, ref=ours)


def test_it_tells_which_of_a_person_s_tokens_did_it(as_lena: Caller, alice: User) -> None:
    row = make_annotation()
    for name, label in (("decider", "van"), ("nightly", "bus")):
        token, secret = tokens.create_token(alice, name=name, scope="decide", days=1, actor=alice)
        assert (
            Caller(secret)(
                "PATCH", f"/v1/annotations/{row.annotation_id}", {"label": label}
            ).status_code
            == 200
        )
        (event,) = events(as_lena, label_to=label, action="annotation.relabelled")
        assert event["note"] == f"token “{name}” ({token.prefix}…)"
        assert secret not in str(event)


def test_it_pages_by_key(as_lena: Caller) -> None:
    for _ in range(5):
        make_annotation()
    seen: list[int] = []
    cursor = None
    while True:
        page = as_lena("POST", "/v1/history/list", {"limit": 2, "cursor": cursor}).json()
        seen += [event["event_id"] for event in page["results"]]
        cursor = page["pagination"]["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) >= 5


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"cursor": "nonsense"}, 400),
        ({"action": "annotation.exploded"}, 422),
        ({"since": "yesterday"}, 422),
        ({"limit": 501}, 422),
        ({"person": "alice"}, 422),
        ({"actor_id": 10**30}, 422),
        ({"actor_id": -1}, 422),
    ],
)
def test_it_refuses_what_makes_no_sense(
    as_lena: Caller, asked: dict[str, Any], status: int
) -> None:
    assert as_lena("POST", "/v1/history/list", asked).status_code == status


def test_it_tells_how_far_a_change_got(as_alice: Caller) -> None:
    row = make_annotation()
    reply = as_alice("PATCH", f"/v1/annotations/{row.annotation_id}", {"label": "van"})
    path = f"/v1/changes/{reply['X-Change-Id']}"
    change_body = as_alice("GET", path).json()
    assert (change_body["state"], change_body["fields"], change_body["actor_name"]) == (
        "queued",
        {"label": "van"},
        "alice",
    )
    change = Change.objects.get()
    Change.objects.update(state="delivered", settled_at=change.created_at, version=2)
    change_body = as_alice("GET", path).json()
    assert (
        change_body["state"],
        change_body["progress"],
        change_body["version"],
        change_body["due"],
    ) == (
        "delivered",
        "Delivered v2",
        2,
        None,
    )
    assert as_alice("GET", "/v1/changes/99999999999999999999").status_code == 404
