"""A narrow screen: the page one is on is in sight in the bar, and no column of a delivery hides."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from reviewapp.accounts.models import User
from tests.desk import Desk
from tests.factories import make_annotation, make_change, make_execution

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("desk", [{"viewport": {"width": 360, "height": 740}}], indirect=True),
]


@pytest.mark.parametrize(
    ("address", "name", "more"),
    [
        ("/annotations", "Queue", "after"),
        ("/history", "History", "before( after)?"),
        ("/people", "People", "before"),
    ],
)
def test_it_shows_where_one_is_and_that_there_is_more(
    desk: Desk, adam: User, address: str, name: str, more: str
) -> None:
    desk.sign_in(adam)
    desk.open(address)
    bar = desk.page.get_by_role("navigation", name="Main")
    expect(bar.get_by_role("link", name=name)).to_be_in_viewport(ratio=0.95)
    expect(bar).to_have_attribute("data-more", re.compile(f"^{more}$"))
    bar.evaluate("bar => { bar.scrollLeft = bar.scrollWidth }")
    expect(bar).to_have_attribute("data-more", "before")
    bar.evaluate("bar => { bar.scrollLeft = 0 }")
    expect(bar).to_have_attribute("data-more", "after")
    assert desk.page.evaluate("scrollX") == 0


def test_it_stacks_the_sides_of_a_delivery(desk: Desk, adam: User) -> None:
    change = make_change(
        make_annotation(),
        "conflict",
        fields={"label": "mine-" * 8},
        base={"label": "seen"},
        theirs={"label": "theirs"},
    )
    desk.sign_in(adam)
    for address in (f"/changes/{change.pk}", "/attention"):
        desk.open(address)
        table = desk.page.locator(".compare-table")
        for side in ("seen", "mine-" * 8, "theirs"):
            expect(table.get_by_role("cell", name=side)).to_be_in_viewport()
            box = table.get_by_role("cell", name=side).bounding_box()
            assert box
            assert 0 <= box["x"] <= box["x"] + box["width"] <= 360
        assert desk.page.evaluate("document.querySelector('.table-scroll').scrollWidth") <= 360


# The parts of a row that run over the place they have, by their classes.
TOO_WIDE = """rows => rows.flatMap(row => [...row.children]
  .filter(part => getComputedStyle(part).overflowX === "visible" && part.scrollWidth > part.clientWidth + 1)
  .map(part => part.className))"""


def test_it_puts_no_part_of_a_row_over_another(desk: Desk, adam: User) -> None:
    annotation = make_annotation()
    make_execution(annotation.retriever)
    make_change(annotation, "conflict", fields={"label": "mine"}, theirs={"label": "theirs"})
    desk.sign_in(adam)
    for address in (
        "/retrievers",
        "/annotations?show=all",
        "/deliveries?state=conflict",
        "/people",
    ):
        desk.open(address)
        rows = desk.page.locator("main li")
        expect(rows.first).to_be_visible()
        assert rows.evaluate_all(TOO_WIDE) == [], address
