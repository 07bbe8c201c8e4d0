"""A change whose annotation or retriever was deleted here can be looked at and dealt with."""

from __future__ import annotations

import pytest
from django.test import Client

from reviewapp.accounts.models import User
from reviewapp.outbox.models import Change
from tests.collapsed import collapsed
from tests.factories import LONG_AGO, make_annotation, make_change, make_retriever

pytestmark = pytest.mark.django_db

STATES = ["queued", "conflict", "refused", "delivered", "withdrawn"]


def make_orphan(kind: str, state: str = "conflict") -> Change:
    """Return a change of an annotation or a retriever that is not in the database any more."""
    if kind == "annotation":
        annotation = make_annotation()
        change = make_change(annotation, state, theirs={"label": "van"})
        annotation.delete()
        return change

    retriever = make_retriever()
    change = Change.objects.create(
        ref=retriever.ref,
        fields={"name": "b"},
        base={"name": "a"},
        theirs={"name": "c"},
        state=state,
        due=LONG_AGO,
        settled_at=None if state == "queued" else LONG_AGO,
    )
    retriever.delete()
    return change


@pytest.mark.parametrize("kind", ["annotation", "retriever"])
@pytest.mark.parametrize("state", STATES)
def test_it_shows_the_change_on_every_page(kind: str, state: str, adam_client: Client) -> None:
    change = make_orphan(kind, state)
    for address in (
        "/attention",
        "/deliveries",
        f"/deliveries/chosen?deed=withdraw&pk={change.pk}",
        f"/deliveries/chosen?deed=retry&pk={change.pk}",
        f"/changes/{change.pk}",
    ):
        assert adam_client.get(address).status_code == 200, address


@pytest.mark.parametrize("kind", ["annotation", "retriever"])
@pytest.mark.parametrize("state", STATES)
def test_it_withdraws_the_change_unless_it_is_settled(
    kind: str, state: str, adam_client: Client
) -> None:
    change = make_orphan(kind, state)
    response = adam_client.post("/deliveries/chosen", {"deed": "withdraw", "pk": change.pk})
    assert response.status_code == 200
    change.refresh_from_db()
    assert change.state == ("delivered" if state == "delivered" else "withdrawn")


@pytest.mark.parametrize("kind", ["annotation", "retriever"])
@pytest.mark.parametrize("state", STATES)
def test_it_retries_the_change_if_it_waits(kind: str, state: str, adam_client: Client) -> None:
    change = make_orphan(kind, state)
    Change.objects.update(attempts=1)
    response = adam_client.post("/deliveries/chosen", {"deed": "retry", "pk": change.pk})
    assert response.status_code == 200
    change.refresh_from_db()
    assert (change.state, change.retried_at is not None) == (state, state == "queued")


@pytest.mark.parametrize("kind", ["annotation", "retriever"])
@pytest.mark.parametrize("state", ["conflict", "refused"])
def test_it_dismisses_the_change(kind: str, state: str, adam_client: Client) -> None:
    change = make_orphan(kind, state)
    page = collapsed(adam_client.get("/attention"))
    assert f"The {kind} was deleted here" in page
    assert "Dismiss</button>" in page
    assert "Edit and resend" not in page

    page = collapsed(adam_client.post(f"/changes/{change.pk}/take-theirs", follow=True))
    assert "Dismissed: it was deleted here." in page
    assert "Nothing needs attention" in page
    change.refresh_from_db()
    assert change.state == "withdrawn"


def test_it_leaves_the_change_of_a_deleted_retriever_to_an_admin(
    alice_client: Client, alice: User
) -> None:
    change = make_orphan("retriever")
    assert "Only an admin can resend or dismiss this." in collapsed(alice_client.get("/attention"))
    assert alice_client.post(f"/changes/{change.pk}/take-theirs").status_code == 403
