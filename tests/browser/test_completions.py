"""Names are completed as they are typed, and chosen in lists that are too long to offer them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from reviewapp.accounts.models import User
from reviewapp.retrievers.models import Retriever
from reviewapp.web.filters import MAX_CHOICES
from tests.desk import Desk
from tests.factories import LONG_AGO, make_annotation, make_retriever

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_it_chooses_by_keys_what_a_long_list_does_not_offer(desk: Desk, lena: User) -> None:
    first = [
        Retriever(retriever_id=f"ret_{number}", name=f"logos {number:03}", seen_at=LONG_AGO)
        for number in range(MAX_CHOICES)
    ]
    Retriever.objects.bulk_create(first)
    last = make_retriever("zebras")
    make_annotation(last, title="a zebra")
    make_annotation(title="no zebra")
    desk.sign_in(lena)
    desk.open("/annotations")
    page = desk.page
    field = page.get_by_label("Find a retriever")
    field.press_sequentially("zeb")
    expect(page.locator("#completions option")).to_have_count(1)
    assert page.url.endswith("/annotations")

    # Typed to its end, faster than the server answers.
    field.press_sequentially("ras")
    field.press("Enter")
    page.wait_for_url(f"**/annotations?retriever={last.pk}")
    expect(page.locator(".row-link")).to_have_text(["a zebra"])
    expect(page.get_by_label("Retriever", exact=True)).to_have_value(str(last.pk))
    expect(field).to_have_value("")
    expect(field).to_be_focused()

    field.fill("nothing of the kind")
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#live")).to_have_text("Choose one of the names that are offered.")
    assert desk.complaints == []


def test_it_checks_a_person_whom_a_long_list_does_not_offer(desk: Desk, lena: User) -> None:
    people = []
    for number in range(MAX_CHOICES):
        name = f"annotator {number:03}"
        people.append(User(username=name, username_key=name))
    User.objects.bulk_create(people)
    last = User.objects.create(username="zoe", username_key="zoe")
    desk.sign_in(lena)
    desk.open("/decisions")
    page = desk.page
    page.locator("#id_person summary").click()
    field = page.get_by_label("Find a person")
    field.press_sequentially("zoe")
    field.press("Enter")
    page.wait_for_url(f"**/decisions?person={last.pk}")
    expect(page.locator("#id_person summary")).to_have_text("zoe")
    expect(page.get_by_role("checkbox", name="zoe")).to_be_checked()
    assert desk.complaints == []
