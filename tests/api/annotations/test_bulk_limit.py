"""One person may run so many bulk requests at a time; the next is told to wait."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import Any

import pytest
from django.db import connection, connections, transaction

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.api.annotations import bulk_limit
from reviewapp.api.annotations.bulk_limit import MAX_CONCURRENT_BULKS
from reviewapp.api.models import KeptAnswer
from tests.annotations.racing import at_once
from tests.api.conftest import Caller
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db(transaction=True)
_PATIENCE = 60.0


def calls_under_way() -> int:
    """Return how many calls hold a place, as the database sees it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        ((count,),) = cursor.fetchall()
    return int(count)


def wait_until_under_way(count: int) -> None:
    give_up = monotonic() + _PATIENCE
    while calls_under_way() < count:
        assert monotonic() < give_up, "the calls did not begin"


def bulk(caller: Caller, row: Annotation, label: str, **headers: str) -> Any:
    update = {"annotation_id": row.annotation_id, "label": label}
    return caller("POST", "/v1/annotations/bulk", {"update": [update]}, **headers)


def test_it_runs_a_few_bulks_of_a_person_at_a_time(
    alice: User, as_alice: Caller, as_lena: Caller, call: Callable[..., Caller]
) -> None:
    locked, other = make_annotation(), make_annotation()
    second_token = call(alice)

    def send(caller: Caller, row: Annotation, label: str, **headers: str) -> Any:
        try:
            return bulk(caller, row, label, **headers)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(MAX_CONCURRENT_BULKS) as pool:
        with transaction.atomic():
            Annotation.objects.select_for_update().get(pk=locked.pk)
            under_way: list[Future[Any]] = []
            for _ in range(MAX_CONCURRENT_BULKS):
                under_way.append(pool.submit(send, as_alice, locked, "van"))
                wait_until_under_way(len(under_way))

            answers: list[Any] = at_once(
                lambda: bulk(second_token, other, "van", Idempotency_Key="k"),
                lambda: bulk(as_lena, other, "bus"),
            )
        replies = [future.result(timeout=_PATIENCE) for future in under_way]

    reply, allowed = answers
    assert (reply.status_code, reply.json()["error"]["code"]) == (429, "too_many_at_once")
    assert int(reply["Retry-After"]) >= 1
    assert allowed.json()["updated_count"] == 1
    assert [response.json()["updated_count"] for response in replies] == [1] * MAX_CONCURRENT_BULKS
    assert not Decision.objects.filter(reviewer=alice, annotation=other).exists()
    assert not KeptAnswer.objects.exists()
    assert calls_under_way() == 0
    assert bulk(second_token, other, "cab", Idempotency_Key="k").json()["updated_count"] == 1


def test_it_gives_its_place_back_after_a_refusal(as_alice: Caller) -> None:
    for _ in range(MAX_CONCURRENT_BULKS + 1):
        assert as_alice("POST", "/v1/annotations/bulk", {"update": 1}).status_code == 422
    assert calls_under_way() == 0


def test_it_looks_unknown_ids_up_together(
    as_alice: Caller, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    known = make_annotation()
    names = [f"unknown-{number}" for number in range(300)]
    updates = [{"annotation_id": name, "label": "cat"} for name in [*names, known.annotation_id]]

    with django_assert_max_num_queries(100):
        answer = as_alice("POST", "/v1/annotations/bulk", {"update": updates}).json()

    assert (answer["updated_count"], answer["failed_count"]) == (1, 300)
    assert answer["results"][0]["error"] == "annotation not found: unknown-0"
    assert list(Decision.objects.values_list("annotation_id", flat=True)) == [known.pk]


def test_it_updates_by_a_local_id(as_alice: Caller) -> None:
    row = make_annotation()
    update = {"annotation_id": row.ref.removeprefix("annotations/"), "label": "cat"}

    answer = as_alice("POST", "/v1/annotations/bulk", {"update": [update]}).json()

    assert answer["updated_count"] == 1


def test_it_begins_no_further_item_after_its_time(
    as_alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = make_annotation()
    body = {
        "create": [{"document_id": f"doc_{number}", "label": "cat"} for number in range(3)],
        "update": [{"annotation_id": known.annotation_id, "label": "cat"}],
        "delete": ["x"],
    }
    with monkeypatch.context() as patch:
        patch.setattr(bulk_limit, "MAX_BULK_SECONDS", 0.0)
        first = as_alice("POST", "/v1/annotations/bulk", body, Idempotency_Key="k").json()
    assert (first["created_count"], first["failed_count"]) == (1, 4)
    undone = first["results"][3]
    assert (undone["operation"], undone["annotation_id"]) == ("update", known.annotation_id)
    assert "Not begun" in undone["error"]
    assert Decision.objects.count() == 1

    again = as_alice("POST", "/v1/annotations/bulk", body, Idempotency_Key="k").json()

    assert (again["created_count"], again["updated_count"], again["failed_count"]) == (3, 1, 1)
    assert Decision.objects.count() == 4
