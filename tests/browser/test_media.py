"""Films, recordings and pictures of an item: what becomes of them when a link ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Dialog, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from tests.desk import Window, ready
from tests.factories import make_annotation, make_result
from tests.media import play_silence

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SOUND = {"field": "f", "url": "s3://b/a.wav", "type": "audio", "filename": "a.wav"}
PICTURE = {"field": "f", "url": "s3://b/a.heic", "type": "image", "filename": "a.heic"}
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>'
FAIL = "element => element.dispatchEvent(new Event('error'))"


def item_with(blob: dict[str, str]) -> Annotation:
    """Return an item whose document has this file."""
    result = make_result(snapshot={"document_blobs": [blob]})
    return make_annotation(document_id=result.document_id, result=result)


@pytest.fixture
def page(window: Window, alice: User) -> Iterator[Page]:
    """Alice's window."""
    yield window(alice)


def open_review(page: Page, live_server: LiveServer, item: Annotation) -> None:
    page.goto(live_server.url + reverse("review", args=[item.pk]))


def test_it_goes_on_where_it_was_when_a_link_is_renewed(
    page: Page, live_server: LiveServer
) -> None:
    page.route("**/media/*", play_silence)
    open_review(page, live_server, item_with(SOUND))
    sound = page.locator("audio")
    expect(sound).to_have_js_property("duration", 20)
    sound.evaluate("element => { element.currentTime = 7; element.playbackRate = 2; }")
    sound.evaluate(FAIL)
    expect(sound).to_have_attribute("src", re_again(1))
    expect(sound).to_have_js_property("currentTime", 7)
    expect(sound).to_have_js_property("playbackRate", 2)
    expect(sound).to_have_js_property("paused", True)

    # The second time it is playing.
    sound.evaluate("element => { element.muted = true; return element.play(); }")
    sound.evaluate(FAIL)
    expect(sound).to_have_attribute("src", re_again(2))
    expect(sound).to_have_js_property("paused", False)
    assert sound.evaluate("element => element.currentTime") >= 7

    # It has played on, so the next link that ends is renewed too.
    expect(page.locator("[data-medium]")).not_to_have_attribute("data-tried", re.compile(".+"))
    sound.evaluate(FAIL)
    expect(sound).to_have_attribute("src", re_again(3))
    expect(page.get_by_text("This file did not load.")).to_be_hidden()


@pytest.mark.parametrize(
    "reason",
    [
        "Its link has expired, or its host refuses it (status 403). Load it again.",
        "Files on evil.example are not shown here: the setting MEDIA_HOSTS does not list it.",
        "It is a picture in the format HEIC, which this browser does not show.",
    ],
)
def test_it_says_why_a_file_did_not_load(page: Page, live_server: LiveServer, reason: str) -> None:
    def host(route: Route) -> None:
        if "why=yes" in route.request.url:
            route.fulfill(body=reason, content_type="text/plain; charset=utf-8")
        else:
            route.fulfill(body="no picture", content_type="image/heic")

    page.route("**/media/*", host)
    open_review(page, live_server, item_with(PICTURE))
    expect(page.get_by_role("alert").get_by_text(reason)).to_be_visible()


def test_it_says_that_nobody_can_be_asked(page: Page, live_server: LiveServer) -> None:
    page.route("**/media/*", lambda route: route.abort())
    open_review(page, live_server, item_with(PICTURE))
    expect(page.get_by_text("Why is not known: the server cannot be reached.")).to_be_visible()


@pytest.mark.parametrize("is_blurred", [False, True])
def test_it_shows_the_enlarged_picture_in_grey_too(
    page: Page, live_server: LiveServer, alice: User, is_blurred: bool
) -> None:
    User.objects.filter(pk=alice.pk).update(greyscale_media=True, blur_media=is_blurred)
    page.route(
        "**/media/*", lambda route: route.fulfill(body=DRAWING, content_type="image/svg+xml")
    )
    open_review(page, live_server, item_with(PICTURE))
    page.locator("[data-zoom]").click()
    picture = page.locator("#zoom img")
    expect(picture).to_be_visible()
    blur = " blur(28px)" if is_blurred else ""
    expect(picture).to_have_css("filter", f"grayscale(1){blur}")


def re_again(times: int) -> re.Pattern[str]:
    """Return the pattern of an address that was asked for again so often."""
    return re.compile(rf"again={times}$")


def test_it_asks_before_one_decides_on_a_picture_that_is_not_there(
    page: Page, live_server: LiveServer
) -> None:
    item = item_with(PICTURE)
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/media/*", hold)
    page.goto(live_server.url + reverse("review", args=[item.pk]), wait_until="domcontentloaded")
    ready(page, item)
    figure = page.locator("[data-medium]")
    expect(figure).not_to_have_attribute("data-loaded", "yes")
    questions: list[str] = []

    def cancel(dialog: Dialog) -> None:
        questions.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", cancel)
    page.keyboard.press("Control+Enter")
    assert questions == ["A file of this item is not shown yet. Decide without seeing it?"]
    assert not Decision.objects.exists()

    waiting[0].fulfill(body=DRAWING, content_type="image/svg+xml")
    expect(figure).to_have_attribute("data-loaded", "yes")
    page.keyboard.press("Control+Enter")
    expect(page).not_to_have_url(re.compile(f"/annotations/{item.pk}$"))
    assert len(questions) == 1
    assert Decision.objects.get().annotation_id == item.pk


def test_one_may_decide_without_a_file_that_did_not_load(
    page: Page, live_server: LiveServer
) -> None:
    page.route("**/media/*", lambda route: route.abort())
    item = item_with(PICTURE)
    open_review(page, live_server, item)
    expect(page.get_by_text("This file did not load.")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    with page.expect_event("dialog"):
        page.keyboard.press("Control+Enter")
    expect(page).not_to_have_url(re.compile(f"/annotations/{item.pk}$"))
    assert Decision.objects.count() == 1
