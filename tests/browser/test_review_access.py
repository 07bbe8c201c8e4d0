"""The review page has no axe violation in either theme and fits 360 px."""

from __future__ import annotations

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Route, expect
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.outbox.models import Change
from tests.desk import Window
from tests.factories import (
    make_annotation,
    make_change,
    make_execution,
    make_result,
    make_retriever,
)
from tests.proofs import long

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture
def annotation(db: None) -> Annotation:
    """An item with a bit of everything."""
    retriever = make_retriever()
    execution = make_execution(retriever, inputs={"query": "blue logo"})
    snapshot = {
        "title": "A title of quite some length, so that it has to be cut on a narrow screen",
        "text": "A blue van. " * 80,
        "address": "https://example.com/" + "long" * 40,
        "document_blobs": [
            {"field": "f", "url": "s3://b/a.png", "type": "image", "unavailable_reason": "Gone"}
        ],
    }
    result = make_result(
        retriever, execution=execution, snapshot=snapshot, document_id="doc_x", rank=1
    )
    for label in ("first", "second_label_of_some_length", "x" * 100):
        make_annotation(retriever, label=label)
    payload = {"codes": ["A1", "B2"], "sure": True, "score": 0.5, "deep": {"text": "words"}}
    annotation = make_annotation(
        retriever, document_id="doc_x", result=result, title=snapshot["title"], payload=payload
    )
    make_change(annotation, state="delivered")
    return annotation


@pytest.mark.parametrize("theme", [long("light"), "dark"])
def test_it_has_no_violation_that_a_machine_can_find(
    window: Window, live_server: LiveServer, alice: User, annotation: Annotation, theme: str
) -> None:
    alice.theme = theme
    alice.save()
    page = window(alice)
    page.goto(live_server.url + reverse("review", args=[annotation.pk]))
    expect(page.locator("#review[data-ready]")).to_be_visible()
    results = Axe().run(page, options=_RULES)
    assert not results.violations_count, results.generate_report()
    page.locator("#label").fill("")
    page.locator("#confidence").fill("7")
    page.locator("[data-action=submit]").click()
    expect(page.locator("#confidence-error")).to_be_visible()
    results = Axe().run(page, options=_RULES)
    assert not results.violations_count, results.generate_report()


def test_it_fits_a_screen_of_360_pixels(
    window: Window, live_server: LiveServer, alice: User, annotation: Annotation
) -> None:
    User.objects.filter(pk=alice.pk).update(undo_seconds=60)
    page = window(alice)
    page.set_viewport_size({"width": 360, "height": 740})
    make_annotation(annotation.retriever, label="next")
    page.goto(live_server.url + reverse("review", args=[annotation.pk]))
    expect(page.locator("#review[data-ready]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("#reasoning").fill("Narrow")
    page.locator("[data-action=submit]").click()
    expect(page.locator(".bar-held")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator(".bar-jump").evaluate("button => button.getBoundingClientRect().left") >= 0


def test_it_says_once_what_is_wrong_with_the_payload(
    window: Window, live_server: LiveServer, alice: User, annotation: Annotation
) -> None:
    page = window(alice)
    page.goto(live_server.url + reverse("review", args=[annotation.pk]))
    expect(page.locator("#review[data-ready]")).to_be_visible()
    page.locator("[data-payload-raw] summary").click()
    errors = page.locator("[data-field=payload] .field-error:visible")
    page.locator("#payload").fill("{half")
    expect(errors).to_have_text(["This is not a valid JSON object."])
    page.locator("[data-action=submit]").click()
    expect(page.locator("#payload-error")).to_be_visible()
    expect(errors).to_have_count(1)
    page.locator("#payload").fill("{half again")
    expect(errors).to_have_text(["This is not a valid JSON object."])


def test_it_shows_payload_as_fields_and_sends_what_they_say(
    window: Window, live_server: LiveServer, alice: User, annotation: Annotation
) -> None:
    page = window(alice)
    page.goto(live_server.url + reverse("review", args=[annotation.pk]))
    page.get_by_label("codes one per line").fill("A1\nC3")
    page.get_by_label("deep.text").fill("other words")
    page.get_by_label("sure").uncheck()
    page.get_by_label("score").fill("0.75")
    page.locator("[data-action=submit]").click()
    expect(page.locator("#live")).to_contain_text("Saved.")
    annotation.refresh_from_db()
    assert annotation.payload == {
        "codes": ["A1", "C3"],
        "sure": False,
        "score": 0.75,
        "deep": {"text": "other words"},
    }


def test_it_changes_nothing_in_the_payload_but_the_field_that_is_edited(
    window: Window, live_server: LiveServer, alice: User, annotation: Annotation
) -> None:
    exact = '{"impact": 0.0, "id": 9007199254740993, "big": 1e22, "deep": {"code": "A", "rest": [1.50, {"a": -0.0}]}}'
    Annotation.objects.filter(pk=annotation.pk).update(payload=json.loads(exact))
    page = window(alice)
    page.goto(live_server.url + reverse("review", args=[annotation.pk]))
    expect(page.get_by_label("impact")).to_have_value("0.0")
    expect(page.get_by_label("id", exact=True)).to_have_value("9007199254740993")
    before = page.locator("#payload").input_value()
    page.get_by_label("deep.code").fill('B "quoted", {and} more')
    assert page.locator("#payload").input_value() == before.replace(
        '"A"', r'"B \"quoted\", {and} more"'
    )
    page.get_by_label("id", exact=True).fill("9007199254740995")
    page.locator("[data-action=submit]").click()
    expect(page.locator("#live")).to_contain_text("Saved.")
    change = Change.objects.filter(ref=annotation.ref).latest("id")
    deep = {"code": 'B "quoted", {and} more', "rest": [1.5, {"a": -0.0}]}
    assert change.fields["payload"] == {
        "impact": 0.0,
        "id": 9007199254740995,
        "big": 1e22,
        "deep": deep,
    }
    assert isinstance(change.fields["payload"]["impact"], float)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0x1F", "score must be a number, such as 12 or 0.75."),
        ("", "score must be a number, such as 12 or 0.75."),
        ("1e-400", "score cannot be stored exactly. The nearest number is 0."),
        (
            "0.1234567890123456789",
            "score cannot be stored exactly. The nearest number is 0.12345678901234568.",
        ),
        ("1e999", "score is too large."),
    ],
)
def test_it_submits_no_number_that_it_could_not_keep(
    typed: str,
    said: str,
    window: Window,
    live_server: LiveServer,
    alice: User,
    annotation: Annotation,
) -> None:
    page = window(alice)
    page.goto(live_server.url + reverse("review", args=[annotation.pk]))
    expect(page.locator("#review[data-ready]")).to_be_visible()
    score = page.get_by_label("score")
    score.fill(typed)
    expect(page.locator("[data-payload-problem]")).to_have_text(said)
    page.locator("[data-action=submit]").click()
    expect(score).to_be_focused()
    expect(score).to_have_value(typed)
    assert not Decision.objects.exists()
    score.fill("7.50e-1")
    expect(page.locator("[data-payload-problem]")).to_be_hidden()
    page.locator("[data-action=submit]").click()
    expect(page.locator("#live")).to_contain_text("Saved.")


def test_it_works_without_scripts(
    window: Window, live_server: LiveServer, alice: User, annotation: Annotation
) -> None:
    page = window(alice, java_script_enabled=False)
    page.goto(live_server.url + reverse("review", args=[annotation.pk]))
    page.locator("#label").fill("by hand")
    page.locator("#payload").fill('{"mine": 1}')
    page.get_by_role("button", name="Submit and next").click()
    page.get_by_role("button", name="Create the label “by hand”").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    annotation.refresh_from_db()
    assert (annotation.label, annotation.payload) == ("by hand", {"mine": 1})


@pytest.mark.parametrize(
    ("blob", "body"),
    [
        (
            {"type": "image", "filename": "a.svg"},
            '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>',
        ),
        ({"type": "pdf", "filename": "a.pdf"}, "%PDF-1.4"),
    ],
    ids=["picture", "frame"],
)
def test_it_asks_twice_more_for_media_that_fail_and_then_offers_to_load_them_again(
    window: Window,
    live_server: LiveServer,
    alice: User,
    annotation: Annotation,
    blob: dict[str, str],
    body: str,
) -> None:
    snapshot = {"document_blobs": [{"field": "f", "url": f"s3://b/{blob['filename']}", **blob}]}
    annotation.result = make_result(document_id="doc_x", snapshot=snapshot)
    annotation.save()
    is_down, requested = True, set[str]()

    def media_host(route: Route) -> None:
        if "why=yes" in route.request.url:
            route.fulfill(body="Its host cannot serve it now.", content_type="text/plain")
            return
        requested.add(route.request.url)
        if is_down:
            route.abort()
        else:
            route.fulfill(
                body=body, content_type="image/svg+xml" if blob["type"] == "image" else "text/plain"
            )

    page = window(alice)
    page.route("**/media/**", media_host)
    page.goto(live_server.url + reverse("review", args=[annotation.pk]))
    message = page.locator(".medium-what")
    expect(page.get_by_text("This file did not load.")).to_be_visible()
    expect(page.get_by_text("Its host cannot serve it now.")).to_be_visible()
    expect(message).to_be_hidden()
    assert len(requested) == 3
    is_down = False
    page.get_by_role("button", name="Load again").click()
    expect(message).to_be_visible()
    expect(page.get_by_text("This file did not load.")).to_be_hidden()
