"""The form starts empty; a key takes over the machine's reasoning, which is then sent."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.outbox.models import Change
from tests.desk import Open, Window, ready
from tests.factories import make_annotation, make_retriever

pytestmark = [
    pytest.mark.browser,
    pytest.mark.answer_first,
    pytest.mark.django_db(transaction=True),
]

REASONING = "The logo is half hidden."


@pytest.fixture
def proposals(db: None) -> list[Annotation]:
    """Two proposals of the machine with its reasoning, in the order of the queue."""
    retriever = make_retriever()
    return [
        make_annotation(retriever, label=label, confidence=0.1 * number, reasoning=REASONING)
        for number, label in enumerate(("genuine", "unclear"), 1)
    ]


def test_it_starts_empty_and_sends_a_relabel_without_the_machines_words(
    window: Window, open_item: Open, alice: User, proposals: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, proposals[0])
    expect(page.locator("#confidence")).to_have_value("")
    expect(page.locator("#reasoning")).to_have_value("")
    page.keyboard.press("2")
    page.keyboard.press("Control+Enter")
    ready(page, proposals[1])
    decision = Decision.objects.get()
    assert (decision.label, decision.confidence, decision.reasoning) == ("unclear", None, "")
    assert Change.objects.get().fields == {"label": "unclear", "confidence": None, "reasoning": ""}


def test_it_confirms_with_the_label_alone(
    window: Window, open_item: Open, alice: User, proposals: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, proposals[0])
    page.keyboard.press("Control+Enter")
    ready(page, proposals[1])
    decision = Decision.objects.get()
    assert (decision.label, decision.confidence, decision.reasoning) == ("genuine", None, "")
    change = Change.objects.get()
    assert (change.verb, change.fields) == ("confirm", {"label": "genuine"})


def test_it_takes_the_machines_reasoning_over_to_be_edited(
    window: Window, open_item: Open, alice: User, proposals: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, proposals[0])
    page.keyboard.press("m")
    expect(page.locator("#reasoning")).to_have_value(REASONING)
    page.fill("#reasoning", f"{REASONING} I agree.")
    page.keyboard.press("Control+Enter")
    ready(page, proposals[1])
    assert Decision.objects.get().reasoning == f"{REASONING} I agree."
    assert Change.objects.get().fields == {"label": "genuine", "reasoning": f"{REASONING} I agree."}
