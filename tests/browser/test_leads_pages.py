"""The pages by which leads read, export and revert decisions: legible, and usable with a script."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Revert
from reviewapp.annotations.reverts import services
from reviewapp.annotations.tasks import revert_decisions
from tests.decisions import decide
from tests.desk import Desk
from tests.factories import make_annotation, make_export, make_retriever
from tests.proofs import long

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "word-without-an-end-" * 4
RULES = {"runOnly": {"type": "rule", "values": ["color-contrast", "target-size", "label"]}}
WIDE = {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}}
NARROW = {"color_scheme": "dark", "viewport": {"width": 360, "height": 740}}


def addresses(lena: User, alice: User) -> list[str]:
    """Return the pages, with something long on each."""
    retriever = make_retriever(LONG)
    item = make_annotation(retriever, title=LONG, label=LONG)
    first = decide(item, alice, label=f"{LONG}1", reasoning=LONG)
    decide(item, lena, label=f"{LONG}2", reasoning=LONG)
    other = decide(make_annotation(retriever, title=LONG), alice, label=LONG)
    make_export(query="person=1")
    revert = services.start(
        [first.pk, other.pk], reason=LONG, query=f"person={alice.pk}", actor=lena
    )
    revert_decisions()
    return [
        "/decisions",
        "/decisions?moved=7",
        "/decisions/totals",
        "/decisions/overrides",
        "/figures",
        "/figures?by=retriever&moved=7",
        "/figures/mine",
        f"/decisions/{first.pk}",
        f"/people/{alice.pk}/decisions",
        f"/people/{alice.pk}/corrections",
        f"/annotations/{item.pk}/life",
        "/history?show=all",
        "/history/totals",
        "/exports?person=1",
        f"/reverts/new?person={alice.pk}",
        "/reverts",
        f"/reverts/{revert.pk}",
    ]


@pytest.mark.parametrize(
    "desk", [long(WIDE), NARROW], ids=["wide-light", "narrow-dark"], indirect=True
)
def test_it_can_be_read_and_pressed_and_holds_long_words(
    desk: Desk, lena: User, alice: User
) -> None:
    User.objects.filter(pk=lena.pk).update(theme="system")
    desk.sign_in(lena)
    for address in addresses(lena, alice):
        desk.open(address)
        results = Axe().run(desk.page, options=RULES)
        assert results.violations_count == 0, f"{address}\n{results.generate_report()}"
        overflow = desk.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, address


def test_a_person_answers_a_revert_with_the_mouse(desk: Desk, lena: User, alice: User) -> None:
    first = decide(make_annotation(), alice, label="fake")
    services.start([first.pk], reason="wrong guideline", query="", actor=lena)
    revert_decisions()
    desk.sign_in(alice)
    desk.open(f"/people/{alice.pk}/corrections")

    answer = desk.page.get_by_label("Your answer")
    answer.click()
    answer.fill("It had a badge.")
    desk.page.get_by_role("button", name="Save").click()

    expect(desk.page.get_by_text("Your answer is saved.")).to_be_visible()


def test_it_filters_by_the_people_that_are_checked(desk: Desk, lena: User, alice: User) -> None:
    decide(make_annotation(title="Van 1"), alice, label="fake")
    decide(make_annotation(title="Van 2"), lena, label="fake")
    desk.sign_in(lena)
    desk.open("/decisions")
    expect(desk.page.get_by_role("link", name="Van 2")).to_be_visible()

    desk.page.locator("#id_person summary").click()
    desk.page.get_by_label("alice").check()

    expect(desk.page.get_by_role("link", name="Van 2")).to_have_count(0)
    expect(desk.page.get_by_role("link", name="Van 1")).to_be_visible()
    expect(desk.page.locator("#id_person summary")).to_have_text("alice")
    assert parse_qs(urlsplit(desk.page.url).query) == {"person": [str(alice.pk)]}


def test_it_reverts_from_a_filter_and_shows_the_end(desk: Desk, lena: User, alice: User) -> None:
    decide(make_annotation(title="Van 1"), alice, label="fake")
    desk.sign_in(lena)
    desk.open(f"/decisions?person={alice.pk}")

    desk.page.get_by_role("link", name="Revert these").click()
    desk.page.get_by_label("Reason").fill("wrong guideline")
    desk.page.get_by_role("button", name="Revert 1 decision").click()
    expect(desk.page.locator("#revert")).to_contain_text("0 of 1")
    revert_decisions()

    expect(desk.page.locator("#revert")).to_contain_text(re.compile("1 of 1"))
    assert Revert.objects.get().reason == "wrong guideline"


# How many pixels of a chart are drawn.
DRAWN = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, index) => index % 4 === 3 && value > 0).length;
}"""


@pytest.mark.parametrize("desk", [{**WIDE, "timezone_id": "Europe/Vienna"}], indirect=True)
def test_it_draws_the_tables_of_figures_and_a_bar_opens_its_decisions(
    desk: Desk, lena: User, alice: User
) -> None:
    problems: list[str] = []
    desk.page.on("pageerror", lambda error: problems.append(str(error)))
    decide(make_annotation(title="Van 1"), alice, label="fake", seconds=12.5)
    decide(make_annotation(title="Van 2"), lena, seconds=3.0)
    desk.sign_in(lena)
    desk.open("/figures?by=person")

    desk.page.wait_for_url("**/figures?by=person&zone=Europe%2FVienna")
    expect(desk.page.get_by_text("days of Europe/Vienna")).to_be_visible()
    charts = desk.page.get_by_role("img", name="Chart")
    # Decisions, times and deliveries.
    expect(charts).to_have_count(3)
    bars = charts.first
    for chart in charts.all():
        expect(chart).to_be_visible()
        assert chart.evaluate(DRAWN) > 1000

    # The last day's bar: Alice's lowest, since she comes first by name.
    place = bars.evaluate("""canvas => {
      const { x, y, base } = Chart.getChart(canvas).getDatasetMeta(0).data.at(-1);
      return { x, y: (y + base) / 2 };
    }""")
    bars.click(position=place)
    expect(desk.page.get_by_role("link", name="Van 1")).to_be_visible()
    expect(desk.page.get_by_role("link", name="Van 2")).to_have_count(0)
    assert problems == desk.complaints == []
