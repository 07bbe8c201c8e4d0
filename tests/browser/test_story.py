"""The whole story on what `make run` starts: from signing in to the proof of delivery."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from reviewapp.accounts.people.demo import SIGN_INS
from tests.official_sdk import mixpeek
from tests.operations.processes import reserved_port
from tests.template_database import copy_template
from tests.tools.launch.conftest import Launch
from tools.launch.config import SANDBOX_KEY, SANDBOX_NAMESPACE

pytestmark = pytest.mark.process

_PASSWORDS = {sign_in.username: sign_in.password for sign_in in SIGN_INS}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Launch]:
    """Everything `make run` starts, on the sample namespace."""
    with reserved_port() as port:
        launch = Launch(tmp_path, port)
        # Another test migrates an empty database.
        copy_template(Path(settings.VAR_DIR) / "tests", launch.postgres)
        launch.start(SANDBOX_DATA="")
        assert "reviewapp is ready" in launch.said, launch.said
        yield launch
        launch.kill()
        launch.end()


def fill_sign_in_form(page: Page, running: Launch, username: str) -> None:
    page.goto(f"http://127.0.0.1:{running.port}/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password", exact=True).fill(_PASSWORDS[username])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()


def sign_out(page: Page, username: str) -> None:
    page.get_by_label(f"{username}: your menu").click()
    page.get_by_role("button", name="Sign out").click()


def upstream(running: Launch, annotation_id: str) -> mixpeek.AnnotationResponse:
    port = (running.var / "sandbox" / "port").read_text().strip()
    configuration = mixpeek.Configuration(
        host=f"http://127.0.0.1:{port}",
        access_token=SANDBOX_KEY,
        api_key={"NamespaceHeader": SANDBOX_NAMESPACE},
        retries=False,
    )
    with mixpeek.ApiClient(configuration) as client:
        return mixpeek.AnnotationsApi(client).get_annotation(annotation_id)


@pytest.mark.browser
def test_it_tells_the_whole_story(running: Launch, page: Page) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )

    # A reviewer signs in, filters the queue and opens the first item.
    fill_sign_in_form(page, running, "reviewer")
    page.get_by_label("Retriever").select_option("brand_logo_triage")
    page.get_by_label("Label", exact=True).fill("no_logo")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("label=no_logo"))
    page.locator("#queue a[href^='/annotations/']").first.click()
    first = page.url
    expect(page.get_by_role("img").first).to_be_visible()
    expect(page.locator("#review[data-ready]")).to_be_visible()

    # Decides with the keyboard alone; the next item opens at once.
    page.keyboard.press("2")
    page.keyboard.press("BracketRight")
    page.keyboard.press("r")
    page.keyboard.type("The emblem is a copy.")
    page.keyboard.press("Control+Enter")
    expect(page).not_to_have_url(first)
    expect(page.locator("#live")).to_contain_text("Saved")

    # Sees the decision delivered, without reloading.
    page.goto(first)
    expect(page.locator("#delivery")).to_contain_text("Delivered v2", timeout=60_000)

    # May read no history and run no retriever.
    assert page.request.get(f"http://127.0.0.1:{running.port}/history").status == 403
    assert not complaints, "; ".join(complaints)

    # A lead reads who changed what, when and why.
    sign_out(page, "reviewer")
    fill_sign_in_form(page, running, "lead")
    page.get_by_role("link", name="History").click()
    # The filters listen once the page's scripts have loaded.
    page.wait_for_load_state()
    page.locator("summary", has_text="Anybody").click()
    page.get_by_role("checkbox", name="reviewer").check()
    expect(page).to_have_url(re.compile("person="))
    events = page.locator("#events")
    expect(events).to_contain_text(
        re.compile(r"reviewer\s+relabelled “no_logo” to “counterfeit” and")
    )
    expect(events).to_contain_text("The emblem is a copy.")

    # And Mixpeek has it, as the official client says.
    ref = events.locator("a[href*='annotations']").first.inner_text()
    there = upstream(running, ref.removeprefix("annotations/"))
    assert (there.label, there.confidence, there.reasoning) == (
        "counterfeit",
        0.55,
        "The emblem is a copy.",
    )
    assert there.version == 2
    assert not complaints, "; ".join(complaints)
