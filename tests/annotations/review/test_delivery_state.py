"""The chip beside an item shows the delivery of its current decision, not of an undone one."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.decide import undo
from reviewapp.annotations.review.item import change_to_show
from reviewapp.outbox.models import Change
from tests.collapsed import collapsed
from tests.decisions import decide_by_form
from tests.factories import make_annotation

MINE, OTHER = uuid.uuid4(), uuid.uuid4()


@pytest.mark.parametrize(
    ("newest_first", "standing", "shown"),
    [
        ([], None, None),
        ([("withdrawn", OTHER), ("delivered", MINE)], MINE, 1),
        ([("withdrawn", OTHER)], None, None),
        ([("withdrawn", MINE)], MINE, 0),
        ([("withdrawn", MINE), ("delivered", OTHER)], MINE, 0),
        ([("delivered", OTHER), ("delivered", MINE)], MINE, 1),
        ([("queued", OTHER), ("delivered", MINE)], MINE, 0),
        ([("withdrawn", OTHER), ("conflict", MINE)], MINE, 1),
        ([("delivered", None), ("refused", MINE)], None, 1),
        ([("withdrawn", None), ("delivered", OTHER)], MINE, 1),
    ],
)
def test_it_is_about_what_stands(
    newest_first: list[tuple[str, uuid.UUID | None]], standing: uuid.UUID | None, shown: int | None
) -> None:
    changes = [Change(state=state, cause=cause) for state, cause in newest_first]
    assert change_to_show(changes, standing) is (None if shown is None else changes[shown])


@pytest.mark.django_db
def test_it_stays_delivered_when_a_colleague_undoes_a_later_decision(
    client: Client, alice: User, bob: User
) -> None:
    item = make_annotation(confidence=0.5)
    decide_by_form(item, alice, confidence="0.9")
    Change.objects.update(state="delivered", version=2, settled_at=item.seen_at)
    undo.undo(decide_by_form(item, bob, confidence="0.1").pk, actor=bob)
    client.force_login(alice)
    page = collapsed(client.get(reverse("review", args=[item.pk])))
    assert '<a id="delivery" class="chip tone-ok"' in page
    assert "Delivered v2 </a>" in page


@pytest.mark.django_db
def test_it_is_not_there_when_all_was_undone(client: Client, alice: User) -> None:
    item = make_annotation(confidence=0.5)
    undo.undo(decide_by_form(item, alice, confidence="0.9").pk, actor=alice)
    client.force_login(alice)
    assert 'id="delivery"' not in collapsed(client.get(reverse("review", args=[item.pk])))
