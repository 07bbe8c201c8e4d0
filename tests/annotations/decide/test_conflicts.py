"""Two people on one item: nobody's words are lost, and one click for each field settles it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from markupsafe import escape

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from tests.collapsed import collapsed
from tests.decisions import filled_form, post_decision
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db

MINE = "Mine: the serifs are too thick & the kerning is off."


@pytest.fixture
def annotation(client: Client, bob: User) -> Annotation:
    """Return an item whose form Alice has open while Bob decides it; her labels are in use."""
    item = make_annotation(label="logo", confidence=0.5, reasoning="")
    for label in ("unclear", "x", "<b>"):
        make_annotation(item.retriever, label=label, status="decided")
    return item


def _meanwhile(client: Client, bob: User, annotation: Annotation, **values: Any) -> dict[str, Any]:
    """Return Alice's form as rendered before Bob decided."""
    before = filled_form(annotation)
    client.force_login(bob)
    assert post_decision(client, annotation, **values).status_code == 302
    return before


def _again(response: Any, **changes: Any) -> dict[str, Any]:
    """Return what the answered form holds, as a browser would send it."""
    return {**response.context["data"], "outcome": "decided", **changes}


def test_it_shows_base_mine_and_theirs(
    client: Client, alice: User, bob: User, annotation: Annotation
) -> None:
    before = _meanwhile(client, bob, annotation, label="fake", confidence="0.9")
    client.force_login(alice)
    response = client.post(
        reverse("decide", args=[annotation.pk]), before | {"label": "unclear", "reasoning": MINE}
    )
    page = response.content.decode()
    assert response.status_code == 409
    assert "bob submitted first" in page
    assert [
        (side.field, side.base, side.mine, side.theirs, side.is_conflict)
        for side in response.context["stale"].sides
    ] == [
        ("label", "logo", "unclear", "fake", True),
    ]
    assert escape(MINE) in page
    assert Decision.objects.count() == 1


def test_it_names_for_each_side_what_merges_by_itself(
    client: Client, alice: User, bob: User, annotation: Annotation
) -> None:
    before = _meanwhile(client, bob, annotation, label="fake", confidence="0.9")
    client.force_login(alice)
    url, mine = (
        reverse("decide", args=[annotation.pk]),
        {"label": "unclear", "reasoning": MINE, "payload": '{"a": 1}'},
    )
    page = client.post(url, before | mine).content.decode()
    assert "Only you changed the reasoning and payload; your values are kept." in page
    waiting = client.post(url, before | mine, headers={"Accept": "application/json"}).json()
    assert waiting["why"].startswith(
        "bob submitted first. Only you changed the reasoning and payload"
    )


def test_it_names_no_side_that_has_nothing_to_merge(
    client: Client, alice: User, bob: User, annotation: Annotation
) -> None:
    before = _meanwhile(client, bob, annotation, label="fake")
    client.force_login(alice)
    response = client.post(reverse("decide", args=[annotation.pk]), before | {"label": "unclear"})
    assert response.status_code == 409
    assert response.context["stale"].settled == ()
    assert "conflict-settled" not in response.content.decode()


def test_it_takes_no_words_of_theirs_for_why_it_cannot_be_told(
    client: Client, alice: User, bob: User, annotation: Annotation
) -> None:
    before = _meanwhile(client, bob, annotation, label="fake", reasoning="Theirs.")
    client.force_login(alice)
    url = reverse("decide", args=[annotation.pk])
    response = client.post(url, before | {"outcome": "undecidable", "reasoning": MINE})
    assert response.context["stale"].settled == (
        "Only bob changed the label and confidence; the new value is kept.",
    )
    assert response.context["data"]["reasoning"] == MINE


@pytest.mark.parametrize(
    ("keep", "label", "confidence"), [("mine", "unclear", None), ("theirs", "fake", 0.9)]
)
def test_it_settles_with_one_click(
    client: Client,
    alice: User,
    bob: User,
    annotation: Annotation,
    keep: str,
    label: str,
    confidence: float | None,
) -> None:
    """The confidence follows the label: theirs belonged to theirs."""
    before = _meanwhile(client, bob, annotation, label="fake", confidence="0.9")
    client.force_login(alice)
    url = reverse("decide", args=[annotation.pk])
    response = client.post(url, before | {"label": "unclear", "reasoning": MINE})
    assert client.post(url, _again(response, keep_label=keep)).status_code == 302
    annotation.refresh_from_db()
    assert (annotation.label, annotation.confidence, annotation.reasoning) == (
        label,
        confidence,
        MINE,
    )
    assert annotation.reviewer == alice


def test_it_asks_again_what_was_not_answered_and_keeps_what_was(
    client: Client, alice: User, bob: User, annotation: Annotation
) -> None:
    before = _meanwhile(client, bob, annotation, label="fake", reasoning="Theirs.")
    client.force_login(alice)
    url = reverse("decide", args=[annotation.pk])
    first = client.post(url, before | {"label": "unclear", "reasoning": MINE})
    assert first.context["data"]["asked"] == "label reasoning"
    assert not re.search("data-keep=[^>]*checked", collapsed(first))
    assert "Choose yours or theirs." not in first.content.decode()

    hasty = client.post(url, _again(first))
    assert hasty.status_code == 409
    assert [
        (side.field, side.chosen, side.is_missing) for side in hasty.context["stale"].sides
    ] == [
        ("label", "", True),
        ("reasoning", "", True),
    ]
    half = client.post(url, _again(hasty, keep_label="theirs"))
    assert half.status_code == 409
    assert [
        (side.field, side.base, side.mine, side.chosen) for side in half.context["stale"].sides
    ] == [
        ("reasoning", "", MINE, ""),
    ]
    assert Decision.objects.count() == 1
    last = client.post(url, _again(half, keep_reasoning="mine"))
    assert last.status_code == 302
    annotation.refresh_from_db()
    assert (annotation.label, annotation.reasoning, annotation.reviewer) == ("fake", MINE, alice)


def test_it_takes_no_answer_for_values_that_were_not_shown(
    client: Client, alice: User, bob: User, annotation: Annotation
) -> None:
    before = _meanwhile(client, bob, annotation, label="fake")
    client.force_login(alice)
    url = reverse("decide", args=[annotation.pk])
    asked = _again(client.post(url, before | {"label": "unclear"}), keep_label="mine")
    annotation.refresh_from_db()
    client.force_login(bob)
    assert client.post(url, filled_form(annotation, label="forged")).status_code == 302
    client.force_login(alice)
    again = client.post(url, asked)
    assert again.status_code == 409
    (side,) = again.context["stale"].sides
    assert (side.base, side.mine, side.theirs, side.chosen, side.is_missing) == (
        "logo",
        "unclear",
        "forged",
        "",
        False,
    )


def test_it_asks_again_for_a_label_somebody_has_confirmed(
    client: Client, alice: User, bob: User, annotation: Annotation
) -> None:
    before = _meanwhile(client, bob, annotation)
    client.force_login(alice)
    url = reverse("decide", args=[annotation.pk])
    asked = client.post(url, before | {"label": "unclear"})
    assert asked.status_code == 409
    assert client.post(url, _again(asked)).status_code == 409
    assert client.post(url, _again(asked, keep_label="mine")).status_code == 302
    annotation.refresh_from_db()
    assert (annotation.label, annotation.reviewer) == ("unclear", alice)


def test_it_may_not_be_told_without_an_answer(
    client: Client, alice: User, bob: User, annotation: Annotation
) -> None:
    before = _meanwhile(client, bob, annotation, label="fake")
    client.force_login(alice)
    url = reverse("decide", args=[annotation.pk])
    asked = client.post(url, before | {"label": "unclear", "reasoning": MINE})
    assert client.post(url, _again(asked, outcome="undecidable")).status_code == 302


def test_it_refuses_a_question_without_what_it_was_about(
    client: Client, alice: User, bob: User, annotation: Annotation
) -> None:
    before = _meanwhile(client, bob, annotation, label="fake")
    client.force_login(alice)
    url = reverse("decide", args=[annotation.pk])
    asked = client.post(url, before | {"label": "unclear"})
    answer = client.post(url, _again(asked, was_base="{"))
    assert answer.status_code == 422
    assert "This form is damaged and was not saved." in answer.content.decode()
    assert Decision.objects.count() == 1


def test_it_merges_what_does_not_touch(
    client: Client, alice: User, bob: User, annotation: Annotation
) -> None:
    before = _meanwhile(client, bob, annotation, confidence="0.9")
    client.force_login(alice)
    response = client.post(reverse("decide", args=[annotation.pk]), before | {"reasoning": MINE})
    assert response.status_code == 302
    *_, said = get_messages(response.wsgi_request)
    assert "The confidence stays 0.9: bob changed it while you worked." in str(said)
    annotation.refresh_from_db()
    assert (annotation.confidence, annotation.reasoning) == (0.9, MINE)


def test_it_asks_again_when_it_cannot_be_told_but_was(
    client: Client, alice: User, bob: User, annotation: Annotation
) -> None:
    before = _meanwhile(client, bob, annotation, label="fake")
    client.force_login(alice)
    url = reverse("decide", args=[annotation.pk])
    response = client.post(url, before | {"outcome": "undecidable", "reasoning": MINE})
    assert response.status_code == 409
    assert "but somebody has decided it" in response.content.decode()
    assert response.context["data"]["reasoning"] == MINE
    assert client.post(url, _again(response, outcome="undecidable")).status_code == 302
    annotation.refresh_from_db()
    assert (annotation.status, annotation.label) == ("undecidable", "fake")


def test_it_shows_text_of_others_as_text(
    client: Client, alice: User, bob: User, annotation: Annotation
) -> None:
    before = _meanwhile(client, bob, annotation, label="<script>alert(1)</script>")
    client.force_login(alice)
    page = client.post(
        reverse("decide", args=[annotation.pk]), before | {"label": "<b>"}
    ).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_it_swaps_the_fragment_for_htmx(
    client: Client, alice: User, bob: User, annotation: Annotation
) -> None:
    before = _meanwhile(client, bob, annotation, label="fake")
    client.force_login(alice)
    response = client.post(
        reverse("decide", args=[annotation.pk]),
        before | {"label": "x"},
        headers={"HX-Request": "true"},
    )
    assert response.status_code == 409
    assert response.content.decode().strip().startswith('<div id="review"')
    assert "HX-Push-Url" not in response.headers


def test_it_asks_also_when_somebody_gave_what_the_machine_had_said(
    client: Client, alice: User, bob: User, annotation: Annotation
) -> None:
    before = _meanwhile(client, bob, annotation, confidence="0.9")
    client.force_login(alice)
    url = reverse("decide", args=[annotation.pk])
    response = client.post(url, before | {"confidence": "0.5"})
    assert response.status_code == 409
    asked = [side.field for side in response.context["stale"].sides if side.is_conflict]
    assert asked == ["confidence"]

    assert client.post(url, _again(response, keep_confidence="mine")).status_code == 302
    annotation.refresh_from_db()
    assert annotation.confidence == 0.5
