"""Retrievers in a real browser: edited in place, labels put in order, all under our own policy."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.outbox.models import Change
from reviewapp.retrievers import services
from reviewapp.retrievers.guidance.labels import COLOURS, Label
from reviewapp.retrievers.guidance.services import set_labels, write_guidelines
from reviewapp.retrievers.models import LabelSet
from tests.desk import Desk
from tests.factories import make_annotation, make_retriever
from tests.people import make_person
from tests.proofs import long
from tests.retrievers.edits import edit_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_it_edits_in_place_with_tags_one_by_one(desk: Desk, adam: User) -> None:
    retriever = make_retriever("Brand triage", tags=["logos", "vans"])
    desk.sign_in(adam)
    desk.open(f"/retrievers/{retriever.pk}")
    page = desk.page
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.get_by_label("Name", exact=True).fill("Brands")
    page.get_by_text("vans", exact=True).click()
    adding = page.get_by_label("Add tags")
    adding.press_sequentially("one,")
    adding.press_sequentially("two")
    adding.press("Enter")
    adding.fill("three")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Brands")
    expect(page.locator("#delivery")).to_contain_text("Queued")
    assert desk.address == f"/retrievers/{retriever.pk}"
    assert Change.objects.get().fields == {
        "name": "Brands",
        "tags": {"add": ["one", "two", "three"], "remove": ["vans"]},
    }
    assert desk.complaints == []


def test_it_puts_labels_in_order_and_reviewers_see_them(desk: Desk, adam: User) -> None:
    retriever = make_retriever()
    annotation = make_annotation(retriever)
    desk.sign_in(adam)
    desk.open(f"/retrievers/{retriever.pk}/labels")
    page = desk.page
    for number, value in enumerate(("second", "first", "extra")):
        if number:
            page.get_by_role("button", name="Add label").click()
            page.get_by_role("button", name="Add label").click()
            expect(page.locator("[data-row]")).to_have_count(number + 1)
            expect(page.locator("[data-row]").nth(number).get_by_label("Value")).to_be_focused()
        page.locator("[data-row]").nth(number).get_by_label("Value").fill(value)
    page.get_by_role("button", name="Move label 2 up").click()
    page.get_by_role("button", name="Remove label 3").click()
    page.get_by_role("button", name="Save as version 1").click()
    expect(page.get_by_text("Labels v1 published.")).to_be_visible()
    assert LabelSet.objects.get().values() == ["first", "second"]
    desk.open(f"/annotations/{annotation.pk}")
    assert page.locator("[name=choice]").evaluate_all("all => all.map((one) => one.value)") == [
        "first",
        "second",
        "logo",
    ]
    assert desk.complaints == []


@pytest.mark.parametrize(
    "desk",
    [{}, long({"color_scheme": "dark"}), long({"viewport": {"width": 360, "height": 740}})],
    indirect=True,
)
def test_it_shows_the_version_that_a_colleague_saved_meanwhile(desk: Desk, adam: User) -> None:
    retriever = make_retriever()
    bea = make_person("bea", roles.ADMIN)
    logo = Label(value="logo", title="A logo")
    set_labels(
        retriever.pk, [logo, Label(value="no logo")], other_allowed=True, base_version=0, actor=adam
    )
    write_guidelines(retriever.pk, "# When\n\nAlways.", base_version=0, actor=adam)
    desk.sign_in(adam)
    page = desk.page

    desk.open(f"/retrievers/{retriever.pk}/labels")
    page.get_by_label("Title").first.fill("Mine")
    page.get_by_role("button", name="Move label 1 down").click()
    set_labels(
        retriever.pk,
        [Label(value="logo", title="Theirs")],
        other_allowed=True,
        base_version=1,
        actor=bea,
    )
    page.get_by_role("button", name="Save as version 2").click()
    expect(
        page.get_by_role("heading", name="bea saved version 2 while you were editing")
    ).to_be_visible()
    assert accessible(desk)
    expect(page.get_by_role("row", name="“logo”")).to_contain_text("logo · Theirs")
    expect(page.get_by_role("row", name="“logo”")).to_contain_text("logo · Mine")
    expect(page.get_by_label("Title").nth(1)).to_have_value("Mine")
    page.get_by_role("button", name="Save as version 3").click()
    expect(page.get_by_text("Labels v3 published.")).to_be_visible()
    assert LabelSet.objects.get(version=3).values() == ["no logo", "logo"]

    desk.open(f"/retrievers/{retriever.pk}/guidelines")
    page.locator("#text").fill("# When\n\nMine.")
    write_guidelines(retriever.pk, "# When\n\nTheirs.", base_version=1, actor=bea)
    page.get_by_role("button", name="Save as version 2").click()
    expect(
        page.get_by_role("heading", name="bea saved version 2 while you were editing")
    ).to_be_visible()
    page.get_by_text("What saving yours would change").click()
    assert accessible(desk)
    page.get_by_role("button", name="Save as version 3").click()
    expect(page.get_by_text("Guidelines v3 published.")).to_be_visible()
    assert desk.complaints == []


def accessible(desk: Desk) -> bool:
    """Check the page as it is shown: no violation, nothing wider than the window."""
    results = Axe().run(desk.page)
    assert results.violations_count == 0, results.generate_report()
    return bool(desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_it_carries_picks_and_tags_over_pages_and_searches(desk: Desk, adam: User) -> None:
    for number in range(40):
        make_retriever(f"Triage {number:02}")
    desk.sign_in(adam)
    desk.open("/retrievers")
    page = desk.page
    counter, picks = page.locator("[data-picked]"), page.locator(".pick input")
    picks.nth(1).check()
    picks.nth(29).check()
    page.get_by_label("Add tags").fill("new")
    page.get_by_role("button", name="Next").click()
    expect(counter).to_have_text("2 selected, 2 of them on other pages")
    picks.first.check()
    expect(counter).to_have_text("3 selected, 2 of them on other pages")
    page.locator("#id_q").fill("triage 0")
    # The second page has ten lines as well.
    expect(page.locator(".retriever-line").first).to_contain_text("Triage 00")
    expect(page.locator(".retriever-line")).to_have_count(10)
    expect(counter).to_have_text("3 selected, 2 of them on other pages")
    page.get_by_label("Add tags").press("Enter")
    expect(page.get_by_role("button", name="Change 3 retrievers")).to_be_visible()
    page.get_by_role("link", name="Select others").click()
    expect(counter).to_have_text("3 selected, 2 of them on other pages")
    expect(page.get_by_label("Add tags")).to_have_value("new")
    assert desk.complaints == []


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/{}",
        "/{}/edit",
        "/{}/labels",
        "/{}/guidelines",
        "/tags?pk={}&add=x&remove=logos",
        "/tags?pk={}",
    ],
)
@pytest.mark.parametrize(
    "desk",
    [long({"color_scheme": "dark"}), {"viewport": {"width": 360, "height": 740}}],
    indirect=True,
)
def test_it_is_for_everyone(desk: Desk, adam: User, path: str) -> None:
    retriever = make_retriever("Brand triage", tags=["logos"], description="Finds logos")
    guideline = "# When\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    write_guidelines(retriever.pk, guideline, base_version=0, actor=adam)
    labels = [Label(value=colour, colour=colour) for colour in COLOURS]
    set_labels(retriever.pk, labels, other_allowed=True, base_version=0, actor=adam)
    services.edit(retriever.pk, edit_of(retriever, description="Finds all logos"), actor=adam)
    desk.sign_in(adam)
    desk.open(f"/retrievers{path.format(retriever.pk)}")
    assert accessible(desk)


@pytest.mark.parametrize("name", ["Brand triage", "فرز العلامات", "מיון מותגים"])
@pytest.mark.parametrize("page_name", ["retriever", "item"])
def test_it_shows_a_name_in_any_direction_where_a_heading_begins(
    desk: Desk, adam: User, name: str, page_name: str
) -> None:
    item = make_annotation(
        make_retriever(name, description="A description of some length."), title=name
    )
    addresses = {"retriever": f"/retrievers/{item.retriever_id}", "item": f"/annotations/{item.pk}"}
    desk.sign_in(adam)
    desk.open(addresses[page_name])
    heading = desk.page.get_by_role("heading", level=1)
    expect(heading).to_have_text(name)
    distance = heading.evaluate(
        """element => {
            const text = document.createRange();
            text.selectNodeContents(element);
            return text.getBoundingClientRect().left - element.getBoundingClientRect().left;
        }"""
    )
    assert abs(distance) < 1
