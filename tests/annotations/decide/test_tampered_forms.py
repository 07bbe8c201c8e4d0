"""Tampered forms are refused with a true sentence, and typed values are kept."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.services import decide
from reviewapp.annotations.models import Annotation, Decision, Draft
from tests.collapsed import collapsed
from tests.decisions import filled_form, post_decision, submission
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db


def sent(client: Client, item: Annotation, more: bytes) -> Any:
    fields = {name: value for name, value in filled_form(item).items() if name != "reasoning"}
    body = urlencode(fields).encode() + more
    return client.generic(
        "POST", reverse("decide", args=[item.pk]), body, "application/x-www-form-urlencoded"
    )


@pytest.mark.parametrize("label", ["a\nb", "a\r\nb", "a\tb", "a\x07b", "a\x85b", "a\u2028b"])
def test_it_takes_labels_on_one_line_only(client: Client, alice: User, label: str) -> None:
    client.force_login(alice)
    response = post_decision(client, make_annotation(label="logo"), choice=label)
    assert response.status_code == 422
    assert "Labels cannot contain line breaks or control characters." in collapsed(response)
    assert not Decision.objects.exists()


def test_it_lets_a_label_of_upstreams_stand_that_has_two_lines(client: Client, alice: User) -> None:
    item = make_annotation(label="a\nb")
    client.force_login(alice)
    assert post_decision(client, item, choice="a\r\nb").status_code == 302
    assert Decision.objects.get().label == "a\nb"


def test_it_says_that_a_form_is_of_another_item(client: Client, alice: User) -> None:
    one, other = make_annotation(), make_annotation()
    client.force_login(alice)
    form = filled_form(one)
    assert client.post(reverse("decide", args=[one.pk]), form).status_code == 302
    response = post_decision(client, other, decision_id=form["decision_id"], reasoning="typed here")
    page = collapsed(response)
    assert response.status_code == 409
    assert "This form belonged to another item" in page
    assert "already submitted" not in page
    assert "typed here" in page
    assert (
        client.post(reverse("decide", args=[other.pk]), {**response.context["data"]}).status_code
        == 302
    )


def test_it_refuses_bytes_that_are_no_text(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = sent(client, make_annotation(), b"&reasoning=half+%ED%A0%80+of")
    assert response.status_code == 422
    assert "Some characters cannot be stored" in collapsed(response)
    assert not Decision.objects.exists()


def test_it_keeps_the_replacement_character_that_somebody_wrote(
    client: Client, alice: User
) -> None:
    client.force_login(alice)
    assert sent(client, make_annotation(), b"&reasoning=was+%EF%BF%BD+here").status_code == 302
    assert Decision.objects.get().reasoning == "was \ufffd here"


@pytest.mark.parametrize(("typed", "status"), [("1e-400", 422), ("0.0e-400", 302), ("1e-300", 302)])
def test_it_makes_no_zero_of_another_number(
    client: Client, alice: User, typed: str, status: int
) -> None:
    client.force_login(alice)
    assert post_decision(client, make_annotation(), confidence=typed).status_code == status


@pytest.mark.parametrize("used_for", ["this item", "another item", "nothing"])
def test_it_does_not_tell_which_ids_other_peoples_decisions_have(
    used_for: str, client: Client, alice: User, bob: User
) -> None:
    item, other = make_annotation(label="logo"), make_annotation(label="logo")
    decision_id = uuid.uuid4()
    if used_for != "nothing":
        decided = item if used_for == "this item" else other
        decide(decided.pk, submission(decided, decision_id=decision_id), actor=bob)
    item.refresh_from_db()
    client.force_login(alice)
    form = filled_form(item, decision_id=decision_id, reasoning="typed here")

    draft = client.post(
        reverse("draft", args=[item.pk]), form, headers={"Accept": "application/json"}
    )
    first, again = (client.post(reverse("decide", args=[item.pk]), form) for _ in range(2))

    assert (draft.status_code, draft.json()["state"]) == (200, "saved")
    assert (first.status_code, again.status_code) == (302, 302)
    assert Decision.objects.filter(reviewer=alice).get().annotation == item
    assert not Draft.objects.exists()
