"""`Idempotency-Key`: a write that is sent again is answered again, and happens once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.api.idempotency import CLAIM_TIMEOUT, delete_expired_answers
from reviewapp.api.models import KeptAnswer
from reviewapp.outbox.models import Change
from tests.api.conftest import Caller
from tests.factories import make_annotation

NEW = {"document_id": "doc_new", "label": "van"}


@pytest.mark.django_db
def test_it_answers_the_same_write_again(as_alice: Caller) -> None:
    row = make_annotation()
    first, again = (
        as_alice(
            "PATCH", f"/v1/annotations/{row.annotation_id}", {"label": "van"}, Idempotency_Key="k1"
        )
        for _ in range(2)
    )
    assert (first.json(), first["ETag"], first["X-Change-Id"]) == (
        again.json(),
        again["ETag"],
        again["X-Change-Id"],
    )
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Decision.objects.count() == 1


@pytest.mark.django_db
def test_it_creates_once(as_alice: Caller) -> None:
    created = {
        as_alice("POST", "/v1/annotations", NEW, Idempotency_Key="k").json()["annotation_id"]
        for _ in range(3)
    }
    assert len(created) == Annotation.objects.count() == 1


@pytest.mark.django_db
def test_it_repeats_a_refusal(as_alice: Caller) -> None:
    replies = [
        as_alice("POST", "/v1/annotations", {"label": "x"}, Idempotency_Key="k") for _ in range(2)
    ]
    assert [reply.status_code for reply in replies] == [422, 422]
    assert replies[0].json() == replies[1].json()


@pytest.mark.django_db
@pytest.mark.parametrize("other", [{"document_id": "doc_new", "label": "bus"}, {}])
def test_it_refuses_a_key_with_another_body(as_alice: Caller, other: dict[str, Any]) -> None:
    as_alice("POST", "/v1/annotations", NEW, Idempotency_Key="k")
    reply = as_alice("POST", "/v1/annotations", other, Idempotency_Key="k")
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "idempotency_key_reused")


@pytest.mark.django_db
def test_it_keeps_peoples_keys_apart(as_alice: Caller, as_lena: Caller) -> None:
    as_alice("POST", "/v1/annotations", NEW, Idempotency_Key="k")
    reply = as_lena(
        "POST", "/v1/annotations", {"document_id": "doc_other", "label": "bus"}, Idempotency_Key="k"
    )
    assert reply.status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", " ", "x" * 256, "é"])
def test_it_refuses_what_is_no_key(as_alice: Caller, key: str) -> None:
    assert as_alice("POST", "/v1/annotations", NEW, Idempotency_Key=key).status_code == 422


@pytest.mark.django_db
def test_it_tells_a_duplicate_to_wait_and_takes_over_what_died(as_alice: Caller) -> None:
    as_alice("POST", "/v1/annotations", NEW, Idempotency_Key="k")
    KeptAnswer.objects.update(status=None)
    reply = as_alice("POST", "/v1/annotations", NEW, Idempotency_Key="k")
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "in_flight")
    KeptAnswer.objects.update(started_at=timezone.now() - CLAIM_TIMEOUT - timedelta(seconds=1))
    assert as_alice("POST", "/v1/annotations", NEW, Idempotency_Key="k").status_code == 200
    assert Annotation.objects.count() == Decision.objects.count() == Change.objects.count() == 1


@pytest.mark.django_db
def test_it_gives_the_key_back_when_the_answer_is_to_try_again(
    as_alice: Caller, call: Callable[..., Caller], alice: User
) -> None:
    reader = call(alice, "read")
    assert reader("POST", "/v1/annotations", NEW, Idempotency_Key="k").status_code == 403
    assert as_alice("POST", "/v1/annotations", NEW, Idempotency_Key="k").status_code == 200


@pytest.mark.django_db
def test_it_forgets_after_some_days(as_alice: Caller) -> None:
    as_alice("POST", "/v1/annotations", NEW, Idempotency_Key="old")
    KeptAnswer.objects.update(started_at=timezone.now() - timedelta(days=4))
    as_alice("POST", "/v1/annotations", {**NEW, "document_id": "doc_2"}, Idempotency_Key="young")
    assert delete_expired_answers() == 1
    assert KeptAnswer.objects.get().key == "young"


@pytest.mark.django_db(transaction=True)
def test_it_does_one_of_many_equal_requests_at_once(as_alice: Caller) -> None:
    together = Barrier(4)

    def send(_: int) -> Any:
        try:
            together.wait(timeout=60)
            return Caller(as_alice.secret)("POST", "/v1/annotations", NEW, Idempotency_Key="k")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(send, range(4)))
    assert {reply.status_code for reply in replies} <= {200, 409}
    assert (
        len({reply.json()["annotation_id"] for reply in replies if reply.status_code == 200}) == 1
    )
    assert Annotation.objects.count() == Decision.objects.count() == 1
    assert connection.is_usable()
