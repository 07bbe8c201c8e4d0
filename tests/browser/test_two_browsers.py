"""Two browsers on one item, and one person's two tabs: merge, conflict, no lost word."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from tests.desk import Open, Window, put_in_use, ready

pytestmark = [
    pytest.mark.browser,
    pytest.mark.answer_first,
    pytest.mark.django_db(transaction=True),
]


def test_it_ends_in_one_merge_and_one_conflict_and_loses_no_word(
    window: Window, open_item: Open, alice: User, bob: User, items: list[Annotation]
) -> None:
    put_in_use(items, "his", "hers")
    hers, his = window(alice), window(bob)
    open_item(hers, items[0])
    open_item(his, items[0])
    his.fill("#confidence", "0.9")
    his.keyboard.press("Control+Enter")
    ready(his, items[1])
    hers.fill("#reasoning", "Her words")
    hers.keyboard.press("Control+Enter")
    expect(hers.locator("#live")).to_contain_text("The confidence stays 0.9: bob changed it")
    open_item(hers, items[2])
    open_item(his, items[2])
    his.fill("#label", "his")
    his.keyboard.press("Control+Enter")
    expect(his.locator("#live")).to_contain_text("Saved.")
    hers.fill("#label", "hers")
    hers.fill("#reasoning", "More of her words")
    hers.keyboard.press("Control+Enter")
    expect(hers.locator("#stale")).to_contain_text("bob submitted first")
    expect(hers.locator("[name=keep_label][value=mine]")).to_be_focused()
    ready(hers, items[2])
    hers.keyboard.press("ArrowDown")
    expect(hers.locator("[name=keep_label][value=theirs]")).to_be_checked()
    expect(hers.locator("#label")).to_have_value("hers")
    hers.keyboard.press("Control+Enter")
    # Bob has the only one left, so she is back at the queue.
    expect(hers.locator("#messages")).to_contain_text("Saved.")
    assert [
        (decision.label, decision.confidence, decision.reasoning)
        for decision in Decision.objects.order_by("id")
    ] == [
        ("a", 0.9, ""),
        ("a", None, "Her words"),
        ("his", None, ""),
        ("his", None, "More of her words"),
    ]


def test_it_makes_one_decision_of_a_form_that_comes_back(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    open_item(page, items[0])
    sent: list[str] = []
    page.on(
        "request",
        lambda request: (
            sent.append(request.post_data or "") if request.url.endswith("/decide") else None
        ),
    )
    page.fill("#reasoning", "Once")
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    page.evaluate(
        "([url, body]) => fetch(url, {method: 'POST', body: new URLSearchParams(body)})",
        [f"/annotations/{items[0].pk}/decide", sent[0]],
    )
    page.go_back()
    ready(page, items[0])
    assert Decision.objects.count() == 1


def test_it_drops_no_label_that_a_second_tab_of_one_draft_chose(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    first = window(alice)
    open_item(first, items[0])
    first.fill("#reasoning", "Seen twice")
    first.locator('.label-button:has([value="b"])').click()
    expect(first.locator("[data-draft-state]")).to_contain_text("Draft saved on the server")
    second = first.context.new_page()
    open_item(second, items[0])
    expect(second.locator('[name=choice][value="b"]')).to_be_checked()

    first.keyboard.press("Control+Enter")
    ready(first, items[1])
    second.locator('.label-button:has([value="a"])').click()
    second.keyboard.press("Control+Enter")
    expect(second.locator("#notices")).to_contain_text(
        "This form was already submitted, and that decision is saved."
    )
    expect(second.locator('[name=choice][value="a"]')).to_be_checked()
    ready(second, items[0])
    second.keyboard.press("Control+Enter")
    expect(second.locator("#live")).to_contain_text("Saved.")
    items[0].refresh_from_db()
    assert items[0].label == "a"
