"""An `Idempotency-Key` gives the same random decision id at each try of one person and URL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from reviewapp.accounts.models import User
from reviewapp.annotations.decide import create
from reviewapp.annotations.decide.exceptions import DecisionIdTaken
from reviewapp.annotations.decide.services import decide
from reviewapp.annotations.decide.undo import undo
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.api.models import KeptAnswer
from reviewapp.outbox.models import Change
from tests.api.conftest import Caller
from tests.decisions import submission
from tests.factories import make_annotation, make_retriever

NEW = {"document_id": "doc_new", "label": "van"}

pytestmark = pytest.mark.django_db


@contextmanager
def failing(label: str) -> Iterator[None]:
    """Have the database fail, as if by a fault of ours, whenever somebody decides on this label."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER failing BEFORE INSERT ON annotations_decision FOR EACH ROW"
            f" WHEN (NEW.label = '{label}') EXECUTE FUNCTION fail()"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER failing ON annotations_decision")


def test_it_creates_although_somebody_decided_with_an_id_made_of_the_next_rows_number(
    as_lena: Caller, alice: User
) -> None:
    as_lena("POST", "/v1/annotations", {**NEW, "document_id": "doc_first"}, Idempotency_Key="first")
    number = KeptAnswer.objects.get().pk + 1
    guessed = uuid.uuid5(uuid.UUID("7f3b1a52-4c1e-4d0c-9b53-0d6f6d1c8a11"), f"{number}/0")
    item = make_annotation()
    decide(item.pk, submission(item, decision_id=guessed, label="bus"), actor=alice)

    reply = as_lena("POST", "/v1/annotations", NEW, Idempotency_Key="second")

    assert KeptAnswer.objects.get(key="second").pk == number
    assert (reply.status_code, reply.json()["document_id"], reply.json()["label"]) == (
        200,
        "doc_new",
        "van",
    )
    assert Annotation.objects.filter(document_id="doc_new").count() == 1


def test_it_makes_the_ids_of_equal_keys_differ(as_alice: Caller, as_lena: Caller) -> None:
    as_alice("POST", "/v1/annotations", NEW, Idempotency_Key="k")
    as_lena("POST", "/v1/annotations", {**NEW, "document_id": "doc_2"}, Idempotency_Key="k")
    seeds = set(KeptAnswer.objects.values_list("seed", flat=True))
    assert len(seeds) == 2
    assert not seeds & set(Decision.objects.values_list("decision_id", flat=True))


@pytest.mark.parametrize("other", ["person", "document", "retriever", "no retriever", "taken back"])
def test_it_takes_no_decision_for_its_own_that_does_not_match(
    other: str, alice: User, bob: User
) -> None:
    retriever = make_retriever()
    item = make_annotation(retriever)
    decision = decide(item.pk, submission(item, label="bus", hold=30), actor=alice)
    if other == "taken back":
        undo(decision.pk, actor=alice)
    retrievers = {"retriever": make_retriever().retriever_id, "no retriever": None}
    with pytest.raises(DecisionIdTaken):
        create.find_replay(
            decision.decision_id,
            document_id="doc_other" if other == "document" else item.document_id,
            retriever_id=retrievers.get(other, retriever.retriever_id),
            actor=bob if other == "person" else alice,
        )


def test_it_knows_its_own_create_again(as_alice: Caller, alice: User) -> None:
    retriever = make_retriever()
    request = {**NEW, "retriever_id": retriever.retriever_id}
    first = as_alice("POST", "/v1/annotations", request, Idempotency_Key="k")
    # What was answered got lost after the work was done.
    KeptAnswer.objects.update(status=None, is_claimed=False)
    again = as_alice("POST", "/v1/annotations", request, Idempotency_Key="k")
    assert (again.status_code, again.json()) == (200, first.json())
    assert Decision.objects.count() == 1


def test_it_refuses_to_repeat_what_was_taken_back(as_alice: Caller, alice: User) -> None:
    as_alice("POST", "/v1/annotations", {**NEW, "hold": 60}, Idempotency_Key="k")
    undo(Decision.objects.get().pk, actor=alice)
    KeptAnswer.objects.update(status=None, is_claimed=False)
    reply = as_alice("POST", "/v1/annotations", {**NEW, "hold": 60}, Idempotency_Key="k")
    assert reply.status_code == 409
    assert Decision.objects.count() == 1


def test_it_keeps_the_ids_after_a_failure_of_ours(as_alice: Caller) -> None:
    row = make_annotation()
    path = f"/v1/annotations/{row.annotation_id}"
    with failing("van"):
        assert as_alice("PATCH", path, {"label": "van"}, Idempotency_Key="k").status_code == 500
    seed = KeptAnswer.objects.get().seed
    other = as_alice("PATCH", path, {"label": "bus"}, Idempotency_Key="k")
    reply = as_alice("PATCH", path, {"label": "van"}, Idempotency_Key="k")
    assert (other.status_code, reply.status_code) == (422, 200)
    assert KeptAnswer.objects.get().seed == seed
    assert Decision.objects.get().decision_id == uuid.uuid5(seed, "0")


def test_it_does_the_rest_of_a_bulk_when_one_item_failed_and_nothing_twice(
    as_alice: Caller,
) -> None:
    rows = [make_annotation() for _ in range(3)]
    labels = ("bus", "van", "cab")
    updates = [
        {"annotation_id": row.annotation_id, "label": label}
        for row, label in zip(rows, labels, strict=True)
    ]
    request = {"create": [NEW | {"label": "tram"}], "update": updates}

    with failing("van"):
        first = as_alice("POST", "/v1/annotations/bulk", request, Idempotency_Key="k")
    assert first.status_code == 200
    assert [result["success"] for result in first.json()["results"]] == [True, True, False, True]
    assert "under the request id" in first.json()["results"][2]["error"]

    second = as_alice("POST", "/v1/annotations/bulk", request, Idempotency_Key="k")
    assert (second.status_code, second.json()["failed_count"]) == (200, 0)
    assert Decision.objects.count() == Change.objects.count() == 4
    assert Annotation.objects.count() == 4
    third = as_alice("POST", "/v1/annotations/bulk", request, Idempotency_Key="k")
    assert third["Idempotency-Replayed"] == "true"
    assert third.json() == second.json()
