"""PATCH of an annotation is a decision like any other, from the base the script has seen."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Decision, Lease
from reviewapp.audit.models import Event
from reviewapp.json_values import is_same_json
from reviewapp.outbox.models import Change
from reviewapp.retrievers.guidance.form_settings import FormSettings, Required
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.guidance.services import set_labels
from tests.api.conftest import Caller
from tests.decisions import filled_form
from tests.factories import make_annotation, make_lease
from tests.people import signed_in

pytestmark = pytest.mark.django_db


def test_it_patches_like_a_click(as_alice: Caller, alice: User) -> None:
    row = make_annotation(reasoning="because")
    reply = as_alice(
        "PATCH", f"/v1/annotations/{row.annotation_id}", {"label": "van", "confidence": None}
    )
    assert reply.status_code == 200, reply.content
    body = reply.json()
    assert (body["label"], body["confidence"], body["reasoning"], body["version"]) == (
        "van",
        None,
        "because",
        2,
    )
    assert body["revisions"][0]["prior"] == {"label": "logo", "confidence": 0.5}
    change = Change.objects.get(pk=int(reply["X-Change-Id"]))
    assert change.fields == {"label": "van", "confidence": None}
    decision = Decision.objects.get()
    assert (decision.reviewer, decision.label, change.cause) == (alice, "van", decision.decision_id)
    event = Event.objects.get(action="annotation.relabelled")
    assert (event.origin, event.actor_name, event.request_id) == (
        "api",
        "alice",
        reply["X-Request-ID"],
    )


def test_it_patches_what_somebody_else_has_open_and_that_person_is_asked(
    as_alice: Caller, bob: User
) -> None:
    row = make_annotation()
    make_lease(row, bob)
    form = filled_form(row, label="bus")

    reply = as_alice("PATCH", f"/v1/annotations/{row.annotation_id}", {"label": "van"})

    assert reply.status_code == 200
    assert not Lease.objects.exists()
    conflict = signed_in(bob).post(f"/annotations/{row.pk}/decide", form)
    assert conflict.status_code == 409
    assert Decision.objects.get().label == "van"


def test_it_keeps_every_digit_of_a_number(as_alice: Caller) -> None:
    numbers = {
        "long": 9007199254740993,
        "longest": 10**1000 - 1,
        "large": 1e23,
        "small": 5e-324,
        "zero": 0.0,
    }
    row = make_annotation(payload={})
    reply = as_alice(
        "PATCH", f"/v1/annotations/{row.annotation_id}", json.dumps({"payload": numbers})
    )
    assert reply.status_code == 200, reply.content
    assert is_same_json(Change.objects.get().fields["payload"], numbers)
    read = as_alice("GET", f"/v1/annotations/{row.annotation_id}")
    assert is_same_json(read.json()["payload"], numbers)
    assert b"9007199254740993" in read.content


def test_it_carries_metadata(as_alice: Caller) -> None:
    row = make_annotation(metadata={"old": 1})
    reply = as_alice("PATCH", f"/v1/annotations/{row.annotation_id}", {"metadata": {"new": 2}})
    assert reply.json()["metadata"] == {"new": 2}
    change = Change.objects.get()
    assert change.fields == {"metadata": {"new": 2}}
    assert change.base["metadata"] == {"old": 1}
    assert (
        as_alice("PATCH", f"/v1/annotations/{row.annotation_id}", {"metadata": None}).json()[
            "metadata"
        ]
        is None
    )


def test_it_refuses_a_label_that_the_retriever_does_not_offer(as_alice: Caller, adam: User) -> None:
    row = make_annotation()
    assert row.retriever is not None
    set_labels(
        row.retriever.pk, [Label(value="logo")], other_allowed=False, base_version=0, actor=adam
    )
    patched = as_alice("PATCH", f"/v1/annotations/{row.annotation_id}", {"label": "van"})
    place = {"document_id": "doc_new", "retriever_id": row.retriever.retriever_id}
    created = as_alice("POST", "/v1/annotations", {**place, "label": "van"})
    update = [{"annotation_id": row.annotation_id, "label": "van"}]
    in_bulk = as_alice("POST", "/v1/annotations/bulk", {"update": update}).json()
    for reply in (patched, created):
        assert reply.status_code == 422
        assert reply.json()["error"]["details"]["validation_errors"][0]["location"] == [
            "body",
            "label",
        ]
    assert (in_bulk["failed_count"], in_bulk["results"][0]["success"]) == (1, False)
    assert not Decision.objects.exists()


def test_it_names_the_field_that_the_retriever_requires(as_alice: Caller, adam: User) -> None:
    row = make_annotation(reasoning="the machine's")
    assert row.retriever is not None
    settings = FormSettings(reasoning_required=Required.RELABELLED)
    set_labels(
        row.retriever.pk, [], other_allowed=True, base_version=0, actor=adam, settings=settings
    )
    address = f"/v1/annotations/{row.annotation_id}"
    refused = as_alice("PATCH", address, {"label": "van"})
    assert refused.status_code == 422
    error = refused.json()["error"]["details"]["validation_errors"][0]
    assert (error["type"], error["location"]) == ("missing", ["body", "reasoning"])
    assert not Decision.objects.exists()
    assert as_alice("PATCH", address, {"label": "van", "reasoning": "seen"}).status_code == 200


def test_it_names_the_required_field_of_a_new_annotation_and_in_bulk(
    as_alice: Caller, adam: User
) -> None:
    row = make_annotation(reasoning="the machine's")
    assert row.retriever is not None
    settings = FormSettings(confidence_required=Required.ALWAYS)
    set_labels(
        row.retriever.pk, [], other_allowed=True, base_version=0, actor=adam, settings=settings
    )
    new = {"document_id": "doc_new", "retriever_id": row.retriever.retriever_id, "label": "van"}
    refused = as_alice("POST", "/v1/annotations", new)
    assert refused.status_code == 422
    error = refused.json()["error"]["details"]["validation_errors"][0]
    assert (error["type"], error["location"]) == ("missing", ["body", "confidence"])

    update = {"annotation_id": row.annotation_id, "label": "van"}
    rest = [{**new, "document_id": "doc_other"}, {**new, "confidence": 0.5}]
    mixed = as_alice("POST", "/v1/annotations/bulk", {"create": rest, "update": [update]}).json()
    assert [result["success"] for result in mixed["results"]] == [False, True, False]
    assert "requires a confidence" in mixed["results"][2]["error"]
    assert Decision.objects.count() == 1
    assert (
        as_alice("POST", "/v1/annotations/bulk", {"update": [{**update, "confidence": 0}]}).json()[
            "failed_count"
        ]
        == 0
    )


def test_it_does_nothing_when_nothing_is_asked(as_alice: Caller) -> None:
    row = make_annotation()
    for body in ({}, {"label": None}, None):
        assert (
            as_alice("PATCH", f"/v1/annotations/{row.annotation_id}", body).json()["label"]
            == "logo"
        )
    assert not Decision.objects.exists()


def test_it_confirms_what_is_said_again_and_tells_mixpeek_only_that(as_alice: Caller) -> None:
    row = make_annotation()
    reply = as_alice("PATCH", f"/v1/annotations/{row.annotation_id}", {"label": "logo"})
    assert reply.status_code == 200
    change = Change.objects.get(pk=reply["X-Change-Id"])
    assert (change.verb, change.fields, change.cause) == (
        "confirm",
        {"label": "logo"},
        Decision.objects.get().decision_id,
    )


def test_it_clears_nothing_that_was_not_sent(as_alice: Caller) -> None:
    row = make_annotation(confidence=0.31, reasoning="blurred")
    as_alice("PATCH", f"/v1/annotations/{row.annotation_id}", {"label": "van"})
    row.refresh_from_db()
    assert (row.label, row.confidence, row.reasoning) == ("van", 0.31, "blurred")
    assert Change.objects.get().fields == {"label": "van"}
    decision = Decision.objects.get()
    assert (decision.confidence, decision.reasoning) == (None, "")


def test_it_refuses_a_patch_from_an_old_tag_and_shows_three_sides(
    as_alice: Caller, call: Any, bob: User
) -> None:
    row = make_annotation()
    path = f"/v1/annotations/{row.annotation_id}"
    tag = as_alice("GET", path)["ETag"]
    assert call(bob)("PATCH", path, {"label": "van"}, If_Match=tag).status_code == 200
    reply = as_alice("PATCH", path, {"label": "bus"}, If_Match=tag)
    assert reply.status_code == 409
    error = reply.json()["error"]
    assert (error["type"], error["code"], error["details"]["conflicts"]) == (
        "ConflictError",
        "stale",
        ["label"],
    )
    sides = error["details"]
    assert [sides[side]["label"] for side in ("base", "mine", "theirs")] == ["logo", "bus", "van"]
    assert (sides["only_mine"], sides["only_theirs"]) == ([], [])
    assert (
        as_alice("PATCH", path, {"label": "bus"}, If_Match=sides["etag"]).json()["label"] == "bus"
    )
    assert as_alice("PATCH", path, {"label": "bus"}, If_Match="*").status_code == 200


def test_it_merges_from_a_base_and_refuses_what_would_be_lost(
    as_alice: Caller, call: Any, bob: User
) -> None:
    row = make_annotation()
    path = f"/v1/annotations/{row.annotation_id}"
    base = {"label": "logo", "confidence": 0.5, "reasoning": None}
    call(bob)("PATCH", path, {"confidence": 0.9})
    merged = as_alice("PATCH", path, {"label": "van", "base": base}).json()
    assert (merged["label"], merged["confidence"]) == ("van", 0.9)
    reply = as_alice("PATCH", path, {"confidence": 0.1, "base": {**base, "label": "van"}})
    details = reply.json()["error"]["details"]
    assert reply.status_code == 409
    assert (details["conflicts"], details["theirs"]["confidence"], details["by"]) == (
        ["confidence"],
        0.9,
        "alice",
    )


def test_it_names_what_only_one_side_changed(as_alice: Caller, call: Any, bob: User) -> None:
    row = make_annotation()
    path = f"/v1/annotations/{row.annotation_id}"
    base, tag = (
        {"label": "logo", "confidence": 0.5, "reasoning": None},
        as_alice("GET", path)["ETag"],
    )
    call(bob)("PATCH", path, {"label": "bus", "confidence": 0.9})
    mine = {"label": "van", "reasoning": "Mine."}
    for reply in (
        as_alice("PATCH", path, mine | {"base": base}),
        as_alice("PATCH", path, mine, If_Match=tag),
    ):
        details = reply.json()["error"]["details"]
        named = [details[names] for names in ("conflicts", "only_mine", "only_theirs")]
        assert (reply.status_code, named) == (409, [["label"], ["reasoning"], ["confidence"]])


def test_it_patches_in_a_known_number_of_queries(
    as_alice: Caller, django_assert_max_num_queries: Any
) -> None:
    row = make_annotation()
    as_alice("GET", f"/v1/annotations/{row.annotation_id}")
    with django_assert_max_num_queries(15):
        as_alice("PATCH", f"/v1/annotations/{row.annotation_id}", {"label": uuid.uuid4().hex})


def test_it_answers_with_what_is_read_afterwards(as_alice: Caller) -> None:
    path = f"/v1/annotations/{make_annotation().annotation_id}"
    request = {
        "label": "van",
        "confidence": 1,
        "payload": {"b": 1e22, "a": [1.0]},
        "metadata": {"x": None},
    }
    patched, read = as_alice("PATCH", path, request), as_alice("GET", path)
    assert (patched.content, patched["ETag"]) == (read.content, read["ETag"])


def test_it_deletes_nothing(as_adam: Caller) -> None:
    row = make_annotation()
    reply = as_adam("DELETE", f"/v1/annotations/{row.annotation_id}")
    assert reply.status_code == 405
    assert reply.json()["error"]["type"] == "MethodNotAllowedError"
