"""Scripts hold their writes when they ask for it, and take back what is not sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.undo import undo
from reviewapp.annotations.models import Annotation, Decision, Undo
from reviewapp.outbox import claims
from reviewapp.outbox.models import Change
from tests.api.conftest import Caller
from tests.decisions import decide, queue_decision
from tests.factories import make_annotation, make_change

pytestmark = pytest.mark.django_db


def patched(caller: Caller, row: Annotation, **fields: object) -> str:
    """Return the address of the change that a patch made."""
    reply = caller("PATCH", f"/v1/annotations/{row.annotation_id}", {"label": "van", **fields})
    assert reply.status_code == 200, reply.content
    return f"/v1/changes/{reply['X-Change-Id']}"


def test_it_holds_only_what_is_asked_to_be_held(as_alice: Caller) -> None:
    assert as_alice("GET", patched(as_alice, make_annotation())).json()["held_until"] is None
    change = as_alice("GET", patched(as_alice, make_annotation(), hold=60)).json()
    assert change["held_until"] == change["due"]
    assert change["progress"].startswith("Held, sends in ")


def test_it_holds_a_create(as_alice: Caller) -> None:
    reply = as_alice(
        "POST", "/v1/annotations", {"document_id": "doc_new", "label": "van", "hold": 60}
    )
    assert reply.status_code == 200, reply.content
    address = f"/v1/changes/{reply['X-Change-Id']}/withdraw"
    assert as_alice("POST", address).json()["state"] == "withdrawn"
    assert Annotation.objects.get().status == "waiting"


def test_it_holds_in_bulk_what_asks_for_it(as_alice: Caller, alice: User) -> None:
    alice.undo_seconds = 30
    alice.save()
    held, sent = make_annotation(), make_annotation()
    update = [
        {"annotation_id": held.annotation_id, "label": "van", "hold": 60},
        {"annotation_id": sent.annotation_id, "label": "van"},
    ]
    create = [
        {"document_id": "doc_new", "label": "van", "hold": 60},
        {"document_id": "doc_newer", "label": "van"},
    ]
    reply = as_alice("POST", "/v1/annotations/bulk", {"update": update})
    created = as_alice("POST", "/v1/annotations/bulk", {"create": create})
    changes = [
        result["change_id"] for result in (*reply.json()["results"], *created.json()["results"])
    ]
    bodies = [as_alice("GET", f"/v1/changes/{change}").json() for change in changes]
    assert [bool(body["held_until"]) for body in bodies] == [True, False, True, False]
    assert as_alice("POST", f"/v1/changes/{changes[0]}/withdraw").json()["state"] == "withdrawn"
    held.refresh_from_db()
    assert (held.label, held.status) == ("logo", "waiting")


@pytest.mark.parametrize("hold", [-1, 61, "soon", 1.5])
def test_it_refuses_in_bulk_what_is_no_time(as_alice: Caller, hold: object) -> None:
    update = [{"annotation_id": make_annotation().annotation_id, "label": "van", "hold": hold}]
    reply = as_alice("POST", "/v1/annotations/bulk", {"update": update})
    assert reply.status_code == 422
    (complaint,) = reply.json()["error"]["details"]["validation_errors"]
    assert complaint["location"] == ["body", "update", 0, "hold"]
    assert not Change.objects.exists()


def test_it_withdraws_a_held_change_with_its_decision(as_alice: Caller) -> None:
    row = make_annotation()
    address = patched(as_alice, row, hold=60)
    for _ in range(2):
        reply = as_alice("POST", f"{address}/withdraw")
        assert (reply.status_code, reply.json()["state"]) == (200, "withdrawn")
    row.refresh_from_db()
    assert (row.label, row.status) == ("logo", "waiting")
    assert Undo.objects.count() == 1


def test_it_leaves_what_is_no_longer_held_to_leads(as_alice: Caller, as_lena: Caller) -> None:
    address = patched(as_alice, make_annotation())
    assert as_alice("POST", f"{address}/withdraw").status_code == 403
    assert as_lena("POST", f"{address}/withdraw").json()["state"] == "withdrawn"


def test_it_says_when_it_is_too_late(as_alice: Caller, as_lena: Caller) -> None:
    row = make_annotation()
    address = patched(as_alice, row, hold=60)
    patched(as_lena, row, label="bus")
    reply = as_alice("POST", f"{address}/withdraw")
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "too_late")
    assert claims.claim(timezone.now() + timedelta(minutes=2)) is not None
    assert as_lena("POST", f"{address}/withdraw").status_code == 409
    assert not Change.objects.filter(state="withdrawn").exists()


def test_it_says_how_far_cannot_tell_got_and_withdraws_it(as_alice: Caller, alice: User) -> None:
    outcome = Decision.Outcome.UNDECIDABLE
    row = make_annotation()
    change = queue_decision(row, alice, outcome=outcome, reasoning="Too dark.", hold=60)
    address = f"/v1/changes/{change.pk}"
    said = as_alice("GET", address).json()
    assert (said["verb"], said["state"]) == ("cannot_tell", "queued")
    assert said["fields"] == {"outcome": "cannot_tell", "reason": "Too dark."}
    # The label that is shown stays as it is while this waits.
    shown = as_alice("GET", f"/v1/annotations/{row.annotation_id}").json()
    assert (shown["label"], shown["version"]) == ("logo", 2)
    assert as_alice("POST", f"{address}/withdraw").json()["progress"] == "Can't tell, not sent"
    row.refresh_from_db()
    assert row.status == "waiting"


def test_it_does_not_withdraw_what_reverts_cannot_tell(
    as_alice: Caller, as_lena: Caller, alice: User
) -> None:
    outcome = Decision.Outcome.UNDECIDABLE
    decision = decide(make_annotation(), alice, outcome=outcome, reasoning="Too dark.")
    Change.objects.update(state="delivered", settled_at=timezone.now(), version=2)
    undo(decision.pk, actor=alice)
    revert = Change.objects.get(verb="revert")
    said = as_lena("POST", f"/v1/changes/{revert.pk}/withdraw")
    assert (said.status_code, said.json()["error"]["code"]) == (409, "too_late")
    assert as_alice("GET", f"/v1/changes/{revert.pk}").json()["state"] == "queued"


@pytest.mark.parametrize("hold", [-1, 61, "soon", 1.5])
def test_it_refuses_what_is_no_time(as_alice: Caller, hold: object) -> None:
    row = make_annotation()
    reply = as_alice(
        "PATCH", f"/v1/annotations/{row.annotation_id}", {"label": "van", "hold": hold}
    )
    assert reply.status_code == 422


def test_it_refuses_get_a_smaller_scope_and_what_is_not_there(
    call: Callable[..., Caller], as_alice: Caller, alice: User
) -> None:
    change = make_change(make_annotation())
    assert as_alice("GET", f"/v1/changes/{change.pk}/withdraw").status_code == 405
    assert as_alice("POST", "/v1/changes/999999/withdraw").status_code == 404
    reader = call(alice, "read")
    assert reader("POST", f"/v1/changes/{change.pk}/withdraw").status_code == 403


def test_it_withdraws_the_change_of_an_annotation_that_was_deleted_here(as_lena: Caller) -> None:
    annotation = make_annotation()
    change = make_change(annotation, "refused")
    annotation.delete()
    reply = as_lena("POST", f"/v1/changes/{change.pk}/withdraw")
    assert (reply.status_code, reply.json()["state"]) == (200, "withdrawn")
