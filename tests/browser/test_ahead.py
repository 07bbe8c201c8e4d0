"""The pictures of the next item are fetched while somebody judges this one."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import Page, Route, expect

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, Lease
from tests.desk import Open, Window, ready
from tests.factories import make_annotation, make_result, make_retriever

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def pictured_items(db: None) -> list[Annotation]:
    """Three waiting items with a picture each."""
    retriever = make_retriever()
    items = []
    for number in range(3):
        blob = {"url": f"https://files.example.com/{number}.png", "field": "picture"}
        result = make_result(
            retriever, snapshot={"title": f"Item {number}", "document_blobs": [blob]}
        )
        values = {"document_id": result.document_id, "result": result, "title": f"Item {number}"}
        items.append(make_annotation(retriever, label="a", confidence=0.1 * (number + 1), **values))
    return items


def served(page: Page) -> list[str]:
    """Serve the files with no-store, as the app does; return the documents that were requested."""
    requested: list[str] = []

    def answer(route: Route) -> None:
        requested.append(route.request.url.split("/documents/")[1].split("/")[0])
        route.fulfill(
            body=DOT, headers={"Content-Type": "image/png", "Cache-Control": "private, no-store"}
        )

    page.context.route("**/media/**", answer)
    return requested


def test_it_has_the_picture_before_the_item_is_given_and_asks_for_it_once(
    window: Window, open_item: Open, alice: User, pictured_items: list[Annotation]
) -> None:
    page = window(alice)
    requested = served(page)
    open_item(page, pictured_items[0])
    expect(page.locator("#review[data-looked='1']")).to_be_attached()
    assert requested == [pictured_items[0].document_id, pictured_items[1].document_id]
    assert list(Lease.objects.values_list("annotation_id", flat=True)) == [pictured_items[0].pk]
    page.locator("[data-action=submit]").click()
    ready(page, pictured_items[1])
    picture = page.locator(".medium-what")
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 1
    expect(page.locator("#review[data-looked='1']")).to_be_attached()
    assert requested == [item.document_id for item in pictured_items]
    assert Decision.objects.count() == 1


def test_it_opens_what_is_free_whatever_was_looked_at(
    window: Window, open_item: Open, alice: User, bob: User, pictured_items: list[Annotation]
) -> None:
    page = window(alice)
    served(page)
    open_item(page, pictured_items[0])
    expect(page.locator("#review[data-looked='1']")).to_be_attached()
    other = window(bob)
    served(other)
    open_item(other, pictured_items[1])
    page.locator("[data-action=submit]").click()
    ready(page, pictured_items[2])
    assert Lease.objects.get(annotation=pictured_items[1]).holder == bob
