"""The keys in a real browser: what they do, and when they must do nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Dialog, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, SetAside, Undo
from reviewapp.retrievers.guidance.services import write_guidelines
from tests.desk import Desk, Open, Window, answered, ready
from tests.factories import make_annotation, make_result
from tests.media import play_silence
from tests.operations.processes import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page_of(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> Callable[[int], Page]:
    """Return a function that opens one of the items for Alice."""

    def opened(index: int) -> Page:
        page = window(alice)
        open_item(page, items[index])
        return page

    return opened


def _press(page: Page, key: str, code: str, **more: bool) -> None:
    """Press a key this machine's keyboard lacks, or one that is held (`repeat=True`)."""
    page.evaluate(
        "([key, code, more]) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown',"
        " {key, code, bubbles: true, cancelable: true, ...more}))",
        [key, code, more],
    )


def test_it_chooses_labels_by_place_on_both_rows_of_digits(page_of: Callable[[int], Page]) -> None:
    page = page_of(0)
    for key, code, label in (("2", "Digit2", "b"), ("3", "Numpad3", "c"), ("&", "Digit1", "a")):
        _press(page, key, code)
        expect(page.locator(f'[name=choice][value="{label}"]')).to_be_checked()


def test_it_submits_while_typing_and_opens_the_next(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    page = page_of(0)
    page.keyboard.press("2")
    page.keyboard.press("r")
    page.keyboard.type("Because of b, said at once")
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    expect(page.locator("#live")).to_have_text("Saved. 2 left. Item 2")
    expect(page).to_have_url(page.url.rsplit("/", 1)[0] + f"/{items[1].pk}")
    answered(page)
    decision = Decision.objects.get()
    assert (decision.label, decision.reasoning) == ("b", "Because of b, said at once")
    expect(page.locator("[name=choice]:checked")).to_be_focused()


def test_it_types_letters_where_somebody_types(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    page = page_of(0)
    for field in ("#reasoning", "#label"):
        page.fill(field, "")
        page.locator(field).press_sequentially("jsdx[1?")
        expect(page.locator(field)).to_have_value("jsdx[1?")
    ready(page, items[0])
    answered(page)
    assert not SetAside.objects.exists()


def test_it_leaves_a_field_by_escape_and_then_takes_single_keys(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    page = page_of(0)
    page.keyboard.press("r")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    ready(page, items[1])
    page.keyboard.press("k")
    ready(page, items[0])


def test_it_does_nothing_for_a_key_that_is_held(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    page = page_of(0)
    for key in ("s", "d", "x", "j", "k"):
        _press(page, key, f"Key{key.upper()}", repeat=True)
    _press(page, "Enter", "Enter", ctrlKey=True, repeat=True)
    page.keyboard.press("2")
    expect(page.locator('[name=choice][value="b"]')).to_be_checked()
    ready(page, items[0])
    answered(page)
    assert not Decision.objects.exists()
    assert not SetAside.objects.exists()


@pytest.mark.answer_first
def test_it_decides_one_item_for_two_quick_presses(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    page = page_of(0)

    def press_again(route: Route) -> None:
        page.keyboard.press("Control+Enter")
        route.continue_()

    # While the first submit is certainly still under way.
    page.route("**/decide", press_again, times=1)
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    answered(page)
    assert Decision.objects.count() == 1


@pytest.mark.answer_first
def test_it_says_that_a_key_was_pressed_too_early(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    page = page_of(0)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/decide", hold, times=1)
    with page.expect_request("**/decide"):
        page.keyboard.press("Control+Enter")
    # The first key is up again, and its submit is still under way.
    page.keyboard.press("Control+Enter")
    held[0].continue_()
    ready(page, items[1])
    expect(page.get_by_text("A key was pressed while this item was loading")).to_be_visible()
    answered(page)
    assert Decision.objects.count() == 1


def test_it_takes_a_key_as_soon_as_an_item_is_there(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    page = page_of(0)
    # In the page, at the moment in which each item is painted: no person is faster.
    page.evaluate(
        """keys => new MutationObserver(() => {
            if (!keys.length) return;
            const init = { bubbles: true, cancelable: true, ...keys.shift() };
            document.getElementById("review").dispatchEvent(new KeyboardEvent("keydown", init));
        }).observe(document.body, { subtree: true, attributeFilter: ["data-ready"] })""",
        [
            {"key": "s", "code": "KeyS"},
            {"key": "z", "code": "KeyZ", "ctrlKey": True},
        ],
    )
    page.keyboard.press("Control+Enter")
    # The second was skipped, and the skip was taken back.
    expect(page.locator(".bar-message")).to_contain_text("Back in your queue.")
    ready(page, items[1])
    answered(page)
    assert Decision.objects.get().annotation == items[0]
    assert not SetAside.objects.exists()
    expect(page.locator("#failure")).to_be_hidden()


def test_it_says_the_title_of_the_next_item(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    page = page_of(0)
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    expect(page.locator("#live")).to_contain_text("Saved.")
    expect(page.locator("#live")).to_contain_text("Item 2")
    page.keyboard.press("j")
    ready(page, items[2])
    expect(page.locator("#live")).to_have_text("Item 3")


def test_it_takes_no_second_click_that_belongs_to_the_item_before(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    page = page_of(0)
    box = page.locator("[data-action=submit]").bounding_box()
    assert box
    place = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(*place)
    ready(page, items[1])
    page.locator("[data-action=submit]").scroll_into_view_if_needed()
    box = page.locator("[data-action=submit]").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    expect(page.get_by_text("The second click was for the item before")).to_be_visible()
    answered(page)
    assert Decision.objects.count() == 1
    # A click of its own counts at once.
    page.locator("[data-action=submit]").click()
    ready(page, items[2])
    answered(page)
    assert Decision.objects.count() == 2


def test_it_decides_one_item_for_a_double_click(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    page = page_of(0)
    page.locator("[data-action=submit]").dblclick()
    ready(page, items[1])
    answered(page)
    assert Decision.objects.count() == 1


def test_it_goes_into_the_reason_for_a_skip_and_from_there_to_the_next_item(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    page = page_of(0)
    page.get_by_label("Skip with a reason").click()
    expect(page.locator("#skip-reason")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Skip with a reason")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#skip-reason")).to_be_focused()
    page.keyboard.type("Not my subject")
    page.keyboard.press("Enter")
    ready(page, items[1])
    expect(page.locator("[name=choice]:checked")).to_be_focused()
    answered(page)
    assert SetAside.objects.get().reason == "Not my subject"


def test_it_does_not_submit_by_enter_in_a_field(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    page = page_of(0)
    for field in ("[name=choice] >> nth=0", "#label", "#confidence"):
        page.locator(field).press("Enter")
    ready(page, items[0])
    answered(page)
    assert not Decision.objects.exists()


def test_it_rests_while_a_dialog_is_open(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    page = page_of(0)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    ready(page, items[0])
    answered(page)
    assert not Decision.objects.exists()


def test_it_rests_with_alt(page_of: Callable[[int], Page], items: list[Annotation]) -> None:
    page = page_of(0)
    for key in ("Alt+s", "Alt+j", "Alt+2", "Meta+s", "Shift+S"):
        page.keyboard.press(key)
    expect(page.locator('[name=choice][value="a"]')).to_be_checked()
    ready(page, items[0])
    answered(page)
    assert not SetAside.objects.exists()


def test_it_moves_the_confidence_in_steps_and_stops_at_the_ends(
    page_of: Callable[[int], Page],
) -> None:
    page = page_of(0)
    page.fill("#confidence", "0.93")
    page.keyboard.press("Escape")
    for expected in ("0.98", "1", "1"):
        page.keyboard.press("]")
        expect(page.locator("#confidence")).to_have_value(expected)
    page.keyboard.press("[")
    expect(page.locator("#confidence")).to_have_value("0.95")


def test_it_walks_through_the_fields(page_of: Callable[[int], Page]) -> None:
    page = page_of(0)
    for expected in ("label", "confidence", "reasoning"):
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.id") == expected
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "reasoning"


def test_it_goes_into_an_empty_reasoning_by_the_arrows(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    Annotation.objects.filter(pk=items[0].pk).update(reasoning="Said the machine.")
    page = page_of(0)
    page.locator("#confidence").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.type("Said I.")
    expect(page.locator("#reasoning")).to_have_value("Said I.")


def test_it_skips_defers_and_undoes_the_last_decision(
    page_of: Callable[[int], Page], alice: User, items: list[Annotation]
) -> None:
    User.objects.filter(pk=alice.pk).update(undo_seconds=60)
    page = page_of(0)
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    expect(page.locator("[data-seconds-left]")).to_be_visible()
    page.keyboard.press("Control+z")
    ready(page, items[0])
    expect(page.locator("#live")).to_contain_text("Undone")
    answered(page)
    assert Undo.objects.count() == 1
    page.once("dialog", lambda question: question.accept())
    page.keyboard.press("j")
    ready(page, items[1])
    page.keyboard.press("d")
    ready(page, items[2])
    page.keyboard.press("s")
    ready(page, items[0])
    answered(page)
    assert {(aside.annotation_id, aside.kind) for aside in SetAside.objects.all()} == {
        (items[1].pk, "deferred"),
        (items[2].pk, "skipped"),
    }


@pytest.mark.parametrize("key", ["s", "d"])
def test_it_undoes_the_skip_or_defer_that_came_last(
    page_of: Callable[[int], Page], alice: User, items: list[Annotation], key: str
) -> None:
    User.objects.filter(pk=alice.pk).update(undo_seconds=60)
    page = page_of(0)
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    page.keyboard.press(key)
    ready(page, items[2])
    page.keyboard.press("Control+z")
    ready(page, items[1])
    answered(page)
    assert not SetAside.objects.exists()
    assert not Undo.objects.exists()
    page.keyboard.press("Control+z")
    ready(page, items[0])
    answered(page)
    assert Undo.objects.count() == 1


def test_it_undoes_the_last_decision_of_a_list_on_the_queue(
    page_of: Callable[[int], Page], alice: User, items: list[Annotation]
) -> None:
    User.objects.filter(pk=alice.pk).update(undo_seconds=60)
    Annotation.objects.exclude(pk=items[0].pk).update(status="decided")
    page = page_of(0)
    page.keyboard.press("2")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    expect(page.locator("[data-seconds-left]")).to_be_visible()
    page.locator("#id_q").press("Control+z")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    page.locator("h1").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+z")
    ready(page, items[0])
    expect(page.locator('[name=choice][value="b"]')).to_be_checked()
    items[0].refresh_from_db()
    assert (items[0].status, items[0].label) == ("waiting", "a")


def test_it_undoes_cannot_tell_after_the_hold(
    page_of: Callable[[int], Page], items: list[Annotation], alice: User
) -> None:
    alice.undo_seconds = 0
    alice.save()
    page = page_of(0)
    page.keyboard.press("x")
    page.keyboard.type("Too dark.")
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    page.keyboard.press("Control+z")
    ready(page, items[0])
    expect(page.locator("#cannot-tell-note")).to_be_visible()
    expect(page.locator("#reasoning")).to_have_value("Too dark.")
    items[0].refresh_from_db()
    assert items[0].status == "waiting"


def test_it_asks_before_text_is_left_behind_that_no_draft_could_keep(
    window: Window, live_server: LiveServer, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no'); }})"
    )
    page.route("**/draft", lambda route: route.abort())
    page.goto(live_server.url + reverse("review", args=[items[0].pk]))
    ready(page, items[0])
    questions: list[str] = []

    def stay(dialog: Dialog) -> None:
        questions.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", stay)
    page.fill("#reasoning", "Half a thought")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("#reasoning")).to_have_value("Half a thought")
    ready(page, items[0])
    assert len(questions) == 1


def test_it_takes_a_persons_own_key_and_shows_it(
    window: Window, live_server: LiveServer, alice: User, items: list[Annotation]
) -> None:
    alice.key_map = {"item_next": "n"}
    alice.save()
    page = window(alice)
    page.goto(live_server.url + reverse("review", args=[items[0].pk]))
    ready(page, items[0])
    page.keyboard.press("j")
    ready(page, items[0])
    page.keyboard.press("n")
    ready(page, items[1])


def test_it_takes_no_single_key_from_somebody_who_switched_them_off(
    window: Window, live_server: LiveServer, alice: User, items: list[Annotation]
) -> None:
    alice.single_keys = False
    alice.save()
    page = window(alice)
    page.goto(live_server.url + reverse("review", args=[items[0].pk]))
    ready(page, items[0])
    for key in ("2", "j", "s", "d", "?"):
        page.keyboard.press(key)
    expect(page.locator('[name=choice][value="a"]')).to_be_checked()
    page.keyboard.press("Control+Enter")
    ready(page, items[1])
    answered(page)
    assert not SetAside.objects.exists()


def test_it_reads_letters_by_place_in_another_alphabet(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    page = page_of(0)
    _press(page, "\u043e", "KeyJ")
    ready(page, items[1])


def test_it_unfolds_the_guidelines_and_the_history_and_goes_to_the_search(
    page_of: Callable[[int], Page], items: list[Annotation], adam: User
) -> None:
    write_guidelines(items[0].retriever_id or 0, "Look twice.", base_version=0, actor=adam)
    page = page_of(0)
    history = page.locator("details", has_text="History").first
    guidelines = page.locator("details", has_text="Guidelines").first
    page.keyboard.press("g")
    expect(guidelines).to_have_attribute("open", "")
    expect(history).not_to_have_attribute("open", "")
    page.keyboard.press("h")
    expect(history).to_have_attribute("open", "")
    expect(guidelines).not_to_have_attribute("open", "")
    page.keyboard.press("/")
    page.wait_for_url("**/annotations*#id_q")


def test_it_chooses_the_eleventh_label_with_shift(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    for label in "defghijkl":
        make_annotation(items[0].retriever, label=label)
    page = page_of(0)
    page.keyboard.press("Shift+Digit1")
    eleventh = page.locator("[name=choice]").nth(10)
    expect(eleventh).to_be_checked()


def test_it_goes_back_to_the_field_above(page_of: Callable[[int], Page]) -> None:
    page = page_of(0)
    page.locator("#confidence").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#label")).to_be_focused()


def test_it_blurs_plays_and_winds_the_media(
    page_of: Callable[[int], Page], items: list[Annotation]
) -> None:
    blob = {"field": "file", "url": "s3://bucket/a.wav", "type": "audio", "filename": "a.wav"}
    result = make_result(
        items[1].retriever, snapshot={"document_blobs": [blob]}, document_id=items[1].document_id
    )
    Annotation.objects.filter(pk=items[1].pk).update(result=result)
    page = page_of(0)
    page.route("**/media/*", play_silence)
    page.keyboard.press("j")
    ready(page, items[1])

    page.keyboard.press("b")
    expect(page.locator("#blur")).to_be_checked()
    audio = page.locator("audio")
    expect(audio).to_have_js_property("duration", 20)
    for key, seconds in (("ArrowRight", 5), ("ArrowRight", 10), ("ArrowLeft", 5)):
        page.keyboard.press(f"Alt+{key}")
        expect(audio).to_have_js_property("currentTime", seconds)
    for paused in (False, True):
        page.keyboard.press("Alt+Space")
        expect(audio).to_have_js_property("paused", paused)


def test_it_scrolls_the_evidence(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    result = make_result(items[0].retriever, snapshot={"title": "Long", "text": "A line.\n" * 400})
    values = {"document_id": result.document_id, "result": result, "confidence": 0}
    item = make_annotation(items[0].retriever, label="a", **values)
    page = window(alice)
    open_item(page, item)
    text = page.locator(".prose-body")
    before = text.evaluate("element => element.scrollTop") + page.evaluate("scrollY")
    page.keyboard.press("PageDown")
    page.keyboard.press("Space")
    after = text.evaluate("element => element.scrollTop") + page.evaluate("scrollY")
    assert after > before + 400
    page.keyboard.press("PageUp")
    assert text.evaluate("element => element.scrollTop") + page.evaluate("scrollY") < after
    page.emulate_media(media="print")
    assert text.evaluate("element => element.scrollHeight - element.clientHeight") == 0
    page.emulate_media(media="screen")
    expect(page.locator("[name=choice]:checked")).to_have_value("a")


def test_it_scrolls_the_list_of_keys_and_leaves_it_by_keys(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice, viewport={"width": 1000, "height": 400})
    open_item(page, items[0])
    page.keyboard.press("?")
    sheet = page.locator("#keys")
    expect(sheet).to_be_focused()
    page.keyboard.press("PageDown")
    # The browser scrolls smoothly, and our policy lets no function be waited for in the page.
    until(lambda: sheet.evaluate("sheet => sheet.scrollTop > 0"))
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.locator("[name=choice]:checked")).to_be_focused()


def test_its_label_buttons_keep_their_place_and_show_the_choice(
    window: Window, open_item: Open, alice: User, items: list[Annotation]
) -> None:
    page = window(alice)
    places = []
    for item in items[:2]:
        open_item(page, item)
        boxes = page.locator(".label-button").all()
        places.append([box.bounding_box() for box in boxes])
    assert places[0] == places[1]

    page.emulate_media(forced_colors="active")
    colour = "element => getComputedStyle(element.nextElementSibling).backgroundColor"
    chosen = page.locator("[name=choice]:checked").evaluate(colour)
    assert chosen != page.locator("[name=choice]:not(:checked)").first.evaluate(colour)


def test_controls_name_their_keys_and_follow_a_persons_own(
    desk: Desk, alice: User, items: list[Annotation]
) -> None:
    alice.key_map = {"skip": "q", "reasoning": "w"}
    alice.save()
    desk.sign_in(alice)
    desk.open(f"/annotations/{items[0].pk}")
    page = desk.page
    ready(page, items[0])
    named = {
        "[data-action=skip]": "Q",
        "[data-action=submit]": "Control+Enter",
        "[data-action=item_next]": "ArrowRight J",
        "#reasoning": "W",
        "#confidence": "[ ]",
        "[name=choice] >> nth=0": "1",
    }
    for control, keys in named.items():
        expect(page.locator(control)).to_have_attribute("aria-keyshortcuts", keys)

    alice.single_keys = False
    alice.save()
    page.reload()
    ready(page, items[0])
    for control in ("[data-action=skip]", "#reasoning", "#confidence", "[name=choice] >> nth=0"):
        expect(page.locator(control)).not_to_have_attribute("aria-keyshortcuts", re.compile(".*"))
    submit = page.locator("[data-action=submit]")
    expect(submit).to_have_attribute("aria-keyshortcuts", "Control+Enter")
