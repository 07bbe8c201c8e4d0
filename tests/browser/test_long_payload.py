"""An item with a payload as large as Mixpeek's may be: decided, drafted and edited in a browser."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, Request, expect

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, Draft
from tests.desk import Open, Window, answered, ready

pytestmark = [
    pytest.mark.browser,
    pytest.mark.answer_first,
    pytest.mark.django_db(transaction=True),
]
LARGE: dict[str, Any] = {"rows": [{"text": "a \u4e2d " * 20, "score": 0.5}] * 2_500, "note": "old"}
SAVED = "Draft saved on the server"
STATE = "[data-draft-state]"


@pytest.fixture
def large(items: list[Annotation]) -> list[Annotation]:
    Annotation.objects.filter(pk=items[0].pk).update(payload=LARGE, upstream={"payload": LARGE})
    return items


def posts(page: Page) -> list[Request]:
    """Return the list that each POST of the page will be added to."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    return sent


def test_it_is_decided_and_drafted_without_travelling(
    window: Window, open_item: Open, alice: User, large: list[Annotation]
) -> None:
    page = window(alice)
    sent = posts(page)
    open_item(page, large[0])
    page.fill("#reasoning", "Half a word")
    expect(page.locator(STATE)).to_contain_text(SAVED)
    records = page.evaluate("JSON.stringify(localStorage)")
    assert len(records) < 20_000

    page.reload()
    ready(page, large[0])
    expect(page.locator("#reasoning")).to_have_value("Half a word")
    assert page.locator("#payload").evaluate("(field) => JSON.parse(field.value)") == LARGE
    expect(page.locator("[data-draft-offers] .banner")).to_have_count(0)
    page.keyboard.press("Control+Enter")
    ready(page, large[1])
    answered(page)
    assert sent
    assert all(len(request.post_data or "") < 20_000 for request in sent)
    decision = Decision.objects.get()
    assert (decision.payload, decision.reasoning) == (LARGE, "Half a word")


def test_it_travels_once_it_is_changed(
    window: Window, open_item: Open, alice: User, large: list[Annotation]
) -> None:
    page = window(alice)
    sent = posts(page)
    open_item(page, large[0])
    page.locator("[data-payload-raw]").evaluate("(place) => { place.open = true; }")
    page.fill("#payload", '{"note": "new"}')
    expect(page.locator(STATE)).to_contain_text(SAVED)
    assert json.loads(Draft.objects.get().typed["payload"]) == {"note": "new"}

    page.reload()
    ready(page, large[0])
    expect(page.locator("#payload")).to_have_value('{"note": "new"}')
    page.keyboard.press("Control+Enter")
    ready(page, large[1])
    answered(page)
    (decided,) = [request for request in sent if request.url.endswith("/decide")]
    assert parse_qs(decided.post_data or "")["payload"] == ['{"note": "new"}']
    assert Decision.objects.get().payload == {"note": "new"}


def test_a_record_that_holds_it_whole_is_still_read(
    window: Window, open_item: Open, alice: User, large: list[Annotation]
) -> None:
    """Stored by a version whose forms held every value."""
    payload = {"rows": ["word " * 10] * 500}
    Annotation.objects.filter(pk=large[0].pk).update(payload=payload)
    item = Annotation.objects.get(pk=large[0].pk)
    page = window(alice)
    open_item(page, large[1])
    decision_id = "7f1c6d3a-0000-4000-8000-000000000001"
    form = {
        "decision_id": decision_id,
        "base": json.dumps(item.seen()),
        "base_version": str(item.version),
        "choice": item.label,
        "label": "",
        "confidence": "",
        "reasoning": "Typed before the update",
        "payload": json.dumps(payload, indent=2),
    }
    record = {"person": str(alice.pk), "item": str(item.pk), "acked": False, "form": form}
    page.evaluate(
        "([key, record]) => localStorage.setItem(key, JSON.stringify({...record, at: Date.now()}))",
        [f"reviewapp.draft.{alice.pk}.{item.pk}.{decision_id}", record],
    )
    open_item(page, item)
    expect(page.locator("#reasoning")).to_have_value("Typed before the update")
    # It is compared with the item first, after which the form no longer holds the value.
    expect(page.locator("#decision [name=base]")).to_have_value(re.compile("digests"))
    page.keyboard.press("Control+Enter")
    ready(page, large[1])
    answered(page)
    decision = Decision.objects.get()
    assert (decision.payload, decision.reasoning) == (payload, "Typed before the update")
