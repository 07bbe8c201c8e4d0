"""A conflict names the right author: never a person who was not faster."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.decide import services, undo
from reviewapp.annotations.decide.forms import DecisionForm
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.views import decide
from tests.collapsed import collapsed
from tests.decisions import decide_by_form, filled_form
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db
MACHINE, THEIRS, MINE = "the machine's words", "bob's words", "alice's words"


@pytest.fixture
def item(client: Client, alice: User) -> Annotation:
    """An item whose page Alice has open."""
    client.force_login(alice)
    return make_annotation(
        label="logo", confidence=0.5, reasoning=MACHINE, actor_id="logo-detector-v4"
    )


def submit(client: Client, item: Annotation, data: dict[str, Any], **headers: str) -> Any:
    return client.post(reverse("decide", args=[item.pk]), data, headers=headers)


def again(response: Any) -> dict[str, Any]:
    """Return the form to send once more, mine chosen wherever it is asked."""
    data = response.context["data"]
    return {
        **data,
        **{f"keep_{name}": "mine" for name in data["asked"].split()},
        "outcome": "decided",
    }


def conflict_text(client: Client, item: Annotation, base: dict[str, Any]) -> str:
    response = client.post(
        reverse("news", args=[item.pk]), {"base": json.dumps(base)}, headers={"HX-Request": "true"}
    )
    return str(json.loads(response.headers["HX-Trigger"])["say"])


def changed_at_mixpeek(item: Annotation, **values: Any) -> None:
    edit = {"version": 1, "prior": {"label": "logo"}, "edited_at": None, "edited_by": "key_theirs"}
    edits = [edit | {"edited_by_type": "api_key"}]
    Annotation.objects.filter(pk=item.pk).update(version=2, revisions=edits, **values)


def test_it_says_that_a_decision_was_taken_back(
    client: Client, item: Annotation, bob: User
) -> None:
    opened = filled_form(item, reasoning=MINE)
    decision = decide_by_form(item, bob, reasoning=THEIRS)
    response = submit(client, item, opened)
    assert "bob submitted first" in collapsed(response)
    undo.undo(decision.pk, actor=bob)
    response = submit(client, item, again(response))
    page = collapsed(response)
    assert response.status_code == 409
    assert "bob undid the decision you had seen" in page
    assert "faster" not in page
    assert "Take theirs" not in page
    (side,) = response.context["stale"].sides
    assert (side.base, side.mine, side.theirs) == (MACHINE, MINE, MACHINE)
    assert submit(client, item, again(response)).status_code == 302
    assert Annotation.objects.get().reasoning == MINE


def test_it_names_who_decided_after_another_took_back(
    client: Client, item: Annotation, bob: User, lena: User
) -> None:
    undone = decide_by_form(item, bob, reasoning=THEIRS)
    seen = filled_form(Annotation.objects.get(), reasoning=MINE)
    undo.undo(undone.pk, actor=bob)
    decide_by_form(item, lena, reasoning="lena's words")
    assert "lena submitted first" in collapsed(submit(client, item, seen))


def test_it_reads_out_that_a_decision_was_taken_back(
    client: Client, item: Annotation, bob: User
) -> None:
    decision = decide_by_form(item, bob, reasoning=THEIRS)
    seen = Annotation.objects.get().seen()
    undo.undo(decision.pk, actor=bob)
    assert conflict_text(client, item, seen).startswith(
        "bob has just undone a decision, which changed the reasoning."
    )


def test_it_tells_one_truth_of_another_key(client: Client, item: Annotation) -> None:
    opened = filled_form(item, reasoning=MINE)
    changed_at_mixpeek(item, label="fake", reasoning="their words")
    response = client.post(reverse("catch_up", args=[item.pk]), opened)
    for asked in (response, submit(client, item, opened)):
        page = collapsed(asked)
        assert "Another key (key_theirs) submitted first" in page
        assert "logo-detector-v4 changed" not in page
    assert response.context["stale"].by == asked.context["stale"].by


def test_it_calls_a_person_you_in_another_tab(
    client: Client, item: Annotation, alice: User
) -> None:
    opened, seen = filled_form(item, reasoning=MINE, payload='{"here": 1}'), item.seen()
    decide_by_form(item, alice, reasoning="tab one", confidence="0.9")
    assert conflict_text(client, item, seen).startswith(
        "You have just changed the confidence and reasoning in another tab or browser."
    )
    page = collapsed(submit(client, item, opened))
    assert "You decided this in another tab or browser" in page
    assert "alice submitted first" not in page
    assert "You changed the payload only here; your value is kept." in page
    assert "You changed the confidence only there; the new value is kept." in page
    waiting = submit(client, item, opened, Accept="application/json").json()
    assert waiting["why"].startswith("You decided this in another tab or browser.")


def test_it_says_whose_values_it_merged_as_they_stood_when_it_did(
    client: Client, item: Annotation, bob: User
) -> None:
    opened = filled_form(item, reasoning=MINE)
    decide_by_form(item, bob, confidence="0.9")
    response = submit(client, item, opened)
    assert [str(message) for message in get_messages(response.wsgi_request)] == [
        "Saved. The confidence stays 0.9: bob changed it while you worked."
    ]


def test_it_names_the_decision_that_was_made_between_loading_and_locking(
    item: Annotation, alice: User, bob: User
) -> None:
    form = DecisionForm(filled_form(item, reasoning=MINE), annotation=item)
    assert form.is_valid()
    decide_by_form(item, bob, confidence="0.9")
    submission = form.submission()
    decision = services.decide(item.pk, submission, actor=alice)
    assert "bob changed it" in decide.merged_sentence(decision, submission)


def test_it_names_mixpeek_when_the_values_are_of_no_decision(
    client: Client, item: Annotation
) -> None:
    opened = filled_form(item, reasoning=MINE)
    changed_at_mixpeek(item, confidence=0.9)
    response = submit(client, item, opened)
    assert "The confidence stays 0.9: another key at Mixpeek changed it" in str(
        next(iter(get_messages(response.wsgi_request)))
    )
