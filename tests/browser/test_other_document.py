"""An item beside the document that its payload names, and the id in the payload's form."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from reviewapp.accounts.models import User
from tests.desk import Open, Window
from tests.factories import make_annotation, make_result, make_retriever

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_it_is_beside_the_item_where_there_is_room_and_named_at_the_id(
    window: Window, open_item: Open, alice: User
) -> None:
    retriever = make_retriever()
    make_result(document_id="doc_2", snapshot={"title": "Hold music", "text": "Please hold."})
    annotation = make_annotation(
        retriever,
        result=make_result(retriever, document_id="doc_1", snapshot={"text": "Please wait."}),
        document_id="doc_1",
        payload={"nearest": "doc_2", "note": "doc_9"},
    )
    page = window(alice, viewport={"width": 1500, "height": 900})
    open_item(page, annotation)
    own = page.locator(".documents-side").first
    other = page.locator(".other-document")
    left, right = own.bounding_box(), other.bounding_box()
    assert left
    assert right
    assert right["x"] >= left["x"] + left["width"]
    assert right["y"] == left["y"]

    field = page.get_by_label("nearest", exact=True)
    note = page.get_by_role("link", name="Id of the document “Hold music”")
    expect(note).to_have_count(1)
    expect(field).to_have_accessible_description("Id of the document “Hold music”")
    note.click()
    expect(other.get_by_role("heading", name="Other document")).to_be_in_viewport()
    field.fill("doc_7")
    expect(note).to_be_hidden()

    page.set_viewport_size({"width": 360, "height": 800})
    left, right = own.bounding_box(), other.bounding_box()
    assert left
    assert right
    assert right["y"] >= left["y"] + left["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
