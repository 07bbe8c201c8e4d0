"""What version 0.1.0 left in a browser's storage is restored and sent by the scripts of today.

The records are copies of what its scripts wrote, with the person, the item and the time filled in.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, Draft, SetAside
from tests.desk import Open, Window, put_in_use, ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DECISION_ID = "afc1a6fd-1060-459a-ab13-e0380e2c3e3a"
WORDS = "Half a thought, 手書き\nand more"
CHIP = "[data-waiting-count]"


def _now() -> int:
    return int(timezone.now().timestamp() * 1000)


def _base(item: Annotation) -> str:
    values: dict[str, Any] = {
        "label": item.label,
        "confidence": item.confidence,
        "reasoning": "",
        "payload": {},
        "decision": None,
        "given": [],
    }
    return json.dumps(values)


def _draft(person: User, item: Annotation, *, acked: bool, **fields: str) -> dict[str, str]:
    """Return the entry of a draft, as key and text."""
    form = {
        "choice": "",
        "label": "",
        "confidence": "",
        "reasoning": "",
        "payload": "",
        "decision_id": DECISION_ID,
        "base": _base(item),
        "base_version": "1",
        "result_id": "",
        "opened": timezone.now().isoformat(),
        "draft": "",
        "outcome": "",
        **fields,
    }
    record = {
        "person": str(person.pk),
        "item": str(item.pk),
        "at": _now(),
        "acked": acked,
        "form": form,
    }
    key = f"reviewapp.draft.{person.pk}.{item.pk}.{DECISION_ID}"
    return {key: json.dumps(record, ensure_ascii=False)}


def _submit(
    person: User,
    item: Annotation,
    kind: str,
    body: list[list[str]],
    *,
    number: int = 0,
    **state: str,
) -> dict[str, str]:
    """Return the entry of a submit that did not reach the server, as key and text."""
    at = _now() + number
    submit_id = next((value for name, value in body if name == "decision_id"), str(at))
    record = {
        "id": submit_id,
        "item": str(item.pk),
        "title": item.title,
        "kind": kind,
        "state": "waiting",
        "url": f"/annotations/{item.pk}/{kind}",
        "page": f"/annotations/{item.pk}",
        "at": at,
        "body": body,
        **state,
    }
    key = f"reviewapp.waiting.{person.pk}.{at:015}.{submit_id}"
    return {key: json.dumps(record, ensure_ascii=False)}


def _decision_body(person: User, item: Annotation, **fields: str) -> list[list[str]]:
    body = {
        "decision_id": DECISION_ID,
        "base": _base(item),
        "base_version": "1",
        "result_id": "",
        "opened": timezone.now().isoformat(),
        "person": str(person.pk),
        "draft": "",
        "was_base": "",
        "asked": "",
        "new_label": "",
        "outcome": "",
        "seconds": "0.4",
        "label": "",
        "confidence": "",
        "reasoning": "",
        "payload": "",
        **fields,
    }
    return [[name, value] for name, value in body.items()]


@pytest.fixture
def page(window: Window, alice: User, live_server: LiveServer) -> Page:
    """Alice's browser on a page that has no scripts of ours, with an empty storage."""
    page = window(alice)
    page.goto(f"{live_server.url}/health/live")
    return page


def _store(page: Page, *entries: dict[str, str]) -> None:
    for entry in entries:
        for key, text in entry.items():
            page.evaluate("([key, text]) => localStorage.setItem(key, text)", [key, text])


def _stored(page: Page) -> dict[str, Any]:
    return dict(page.evaluate("Object.fromEntries(Object.entries(localStorage))"))


def test_it_restores_a_draft_that_no_server_has_and_saves_it(
    page: Page, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    put_in_use(items, "x")
    draft = _draft(alice, items[0], acked=False, label="x", confidence="0.77", reasoning=WORDS)
    _store(page, draft)

    open_item(page, items[0])

    told = page.locator("[data-draft-told]")
    expect(told).to_contain_text("restored.")
    expect(page.locator("#label")).to_have_value("x")
    expect(page.locator("#confidence")).to_have_value("0.77")
    expect(page.locator("#reasoning")).to_have_value(WORDS)
    expect(page.locator("[data-draft-state]")).to_have_text(re.compile("saved on the server"))
    assert Draft.objects.get().typed["reasoning"].splitlines() == WORDS.splitlines()
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    assert Decision.objects.get().reasoning.splitlines() == WORDS.splitlines()
    assert _stored(page) == {}


def test_it_restores_a_draft_that_the_server_had_and_lost(
    page: Page, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    edition = "c7978ed4-9672-4666-816f-a172589cb00c"
    _store(page, _draft(alice, items[0], acked=True, choice="b", reasoning=WORDS, draft=edition))

    open_item(page, items[0])

    expect(page.locator("#reasoning")).to_have_value(WORDS)
    expect(page.locator('[name=choice][value="b"]')).to_be_checked()


def test_it_restores_a_draft_that_says_that_one_cannot_tell(
    page: Page, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    draft = _draft(
        alice, items[0], acked=False, choice="a", reasoning="Too blurred", outcome="undecidable"
    )
    _store(page, draft)

    open_item(page, items[0])

    expect(page.locator("#decision")).to_have_attribute("data-outcome", "undecidable")
    expect(page.locator("#reasoning")).to_have_value("Too blurred")
    expect(page.locator('[data-field="confidence"]')).to_have_attribute("inert", "")


def test_it_sends_what_waits_in_its_order(
    page: Page, alice: User, items: list[Annotation], live_server: LiveServer
) -> None:
    put_in_use(items, "x")
    words = {"label": "x", "reasoning": "Why x"}
    body = _decision_body(alice, items[0], **words)
    person = ["person", str(alice.pk)]
    _store(
        page,
        _submit(alice, items[0], "decide", body),
        _draft(alice, items[0], acked=False, **words),
        _submit(alice, items[1], "skip", [person, ["reason", ""]], number=1),
        _submit(alice, items[2], "defer", [person], number=2),
    )

    page.goto(f"{live_server.url}/annotations")

    expect(page.locator(CHIP)).to_be_hidden()
    decision = Decision.objects.get()
    assert (decision.annotation_id, decision.label, decision.reasoning) == (
        items[0].pk,
        "x",
        "Why x",
    )
    set_aside = list(SetAside.objects.order_by("pk").values_list("annotation_id", "kind"))
    assert set_aside == [(items[1].pk, "skipped"), (items[2].pk, "deferred")]
    assert _stored(page) == {}


@pytest.mark.parametrize(
    ("state", "why"),
    [("asks", "The machine was faster."), ("refused", "This item no longer exists.")],
)
def test_it_lists_what_the_server_did_not_take_and_gives_it_back_as_a_draft(
    page: Page,
    open_item: Open,
    alice: User,
    items: list[Annotation],
    live_server: LiveServer,
    state: str,
    why: str,
) -> None:
    body = _decision_body(alice, items[0], label="mine", reasoning=WORDS)
    _store(page, _submit(alice, items[0], "decide", body, state=state, why=why))

    page.goto(f"{live_server.url}/annotations")

    expect(page.locator(CHIP)).to_contain_text("1 needs you")
    page.locator(CHIP).click()
    line = page.locator("#waiting li")
    expect(line.locator("a")).to_have_text("Item 1")
    expect(line).to_contain_text(why)
    line.get_by_role("button", name="Undo").click()
    expect(page.locator(CHIP)).to_be_hidden()
    assert not Decision.objects.exists()
    open_item(page, items[0])
    expect(page.locator("#label")).to_have_value("mine")
    expect(page.locator("#reasoning")).to_have_value(WORDS)


def test_it_leaves_what_is_another_persons_alone(
    page: Page, open_item: Open, alice: User, bob: User, items: list[Annotation]
) -> None:
    body = _decision_body(bob, items[0], label="mine", reasoning=WORDS)
    submit = _submit(bob, items[0], "decide", body)
    draft = _draft(bob, items[0], acked=False, reasoning=WORDS)
    _store(page, submit, draft)

    open_item(page, items[0])

    expect(page.locator("#reasoning")).to_have_value("")
    expect(page.locator(CHIP)).to_be_hidden()
    assert _stored(page) == {**submit, **draft}
    assert not Decision.objects.exists()
