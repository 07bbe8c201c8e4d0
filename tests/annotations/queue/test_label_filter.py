"""The label filter takes labels to the letter, and parts of labels as people type them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from reviewapp.accounts.models import User
from tests.factories import make_annotation, make_set_aside
from tests.people import signed_in

pytestmark = pytest.mark.django_db
LABELS = ("spam", "spam ", "Spam filter", "two\nlines", "confirmed_dupe", "cafe\u0301")


@pytest.fixture
def queue(alice: User) -> Client:
    for label in LABELS:
        make_annotation(label=label, title=f"is {label!r}")
    return signed_in(alice)


def shown(client: Client, **wanted: str) -> tuple[list[str], Any]:
    page = client.get("/annotations", wanted)
    return [line.label for line in page.context["lines"]], page


@pytest.mark.parametrize("label", LABELS)
def test_it_takes_a_label_to_the_letter(queue: Client, label: str) -> None:
    assert shown(queue, label=label)[0] == [label]


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("dupe", "confirmed_dupe"),
        ("DUPE", "confirmed_dupe"),
        ("two lines", "two\nlines"),
        ("lines", "two\nlines"),
        ("caf\u00e9", "cafe\u0301"),
        ("CAF", "cafe\u0301"),
        ("filter", "Spam filter"),
    ],
)
def test_it_takes_what_people_type_for_the_label_they_mean(
    queue: Client, typed: str, label: str
) -> None:
    labels, page = shown(queue, label=typed)
    assert labels == [label]
    # What follows is asked with the label itself.
    next_page = queue.get(page.context["page"] and "/annotations/next" + page.context["here"])
    assert next_page.status_code == 302


def test_it_asks_which_label_is_meant_by_a_part_of_several(queue: Client) -> None:
    _, page = shown(queue, label="spa")
    choices = page.context["label_choices"]
    assert {label for label, _ in choices} == {"spam", "spam ", "Spam filter"}
    for label, address in choices:
        lines = queue.get(f"/annotations{address}").context["lines"]
        assert [line.label for line in lines] == [label]


def test_it_says_that_no_label_is_like_it(queue: Client) -> None:
    _, page = shown(queue, label="zzz")
    assert page.context["problems"] == ["No label contains “zzz”."]


def test_it_names_the_part_of_the_queue_that_has_what_is_searched(alice: User) -> None:
    make_set_aside(make_annotation(title="report-final.pdf"), alice)
    make_annotation(title="other.pdf", status="decided")
    client = signed_in(alice)
    for words, sentence in (("report", "Deferred: 1"), ("other", "Decided: 1")):
        html = client.get("/annotations", {"q": words}).content.decode()
        assert "Nothing matches these filters" in html
        assert sentence in html
    html = client.get("/annotations", {"q": "nowhere"}).content.decode()
    assert ": 1" not in html.split("Nothing matches these filters")[1].split("</section>")[0]
    assert "and no payloads" in html


def test_it_names_the_part_that_has_a_status(alice: User) -> None:
    make_annotation(status="decided")
    html = signed_in(alice).get("/annotations", {"status": "decided"}).content.decode()
    assert "Decided: 1" in html


def test_it_gives_the_address_that_starts_with_what_is_on_the_screen(alice: User) -> None:
    item = make_annotation(label="van")
    page = signed_in(alice).get(
        "/annotations", {"label": "van", "sort": "newest"}, headers={"HX-Request": "true"}
    )
    address = "/annotations/next?label=van&amp;sort=newest"
    assert f'data-next="{address}"' in page.content.decode()
    assert item.label in page.content.decode()


@pytest.mark.parametrize("name", ["q", "label"])
def test_it_refuses_what_is_too_long_and_counts_characters(alice: User, name: str) -> None:
    limit = {"q": 200, "label": 100}[name]
    client = signed_in(alice)
    assert not client.get("/annotations", {name: "\U0001f600" * limit}).context["chosen"].problems
    page = client.get("/annotations", {name: "\U0001f600" * (limit + 1)})
    assert f"(it has {limit + 1})" in page.context["problems"][0]
    assert "maxlength" not in page.content.decode()
