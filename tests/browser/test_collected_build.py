"""The site as it is deployed, in a browser: collected static files with hashed names, gunicorn."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, Response, expect

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from tests.desk import answered, put_in_use, ready, sign_in_browser
from tests.operations.processes import ROOT, environment, listens, reserved_port, running, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.process,
    pytest.mark.django_db(transaction=True),
]

GUNICORN = ("-m", "gunicorn", "-c", "python:reviewapp.operations.gunicorn_conf")
PARTS = ("reviewapp", "static", "templates")
MAX_FILES = 8
HASHED = re.compile(r"\.[0-9a-f]{12}\.(?:js|css)$")
MODULES = {"server", "drafts", "page", "review", "next_item"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[str]:
    """The URL of the site, from a copy of the project whose static files were collected."""
    copy = tmp_path_factory.mktemp("site")
    for part in PARTS:
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", copy)
    env = environment(
        SECRET_KEY=settings.SECRET_KEY, WEB_CONCURRENCY="1", VAR_DIR=str(copy / "var")
    )
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(collect, cwd=copy, env=env, check=True)

    with reserved_port() as port:
        command = [*GUNICORN, "reviewapp.wsgi:application", "--bind", f"127.0.0.1:{port}"]
        with running(command, env, cwd=copy) as web:
            until(lambda: listens(port), web)
            yield f"http://127.0.0.1:{port}"


@dataclass(kw_only=True)
class Visit:
    """One browser on the site, and what it requested."""

    page: Page
    url: str
    # Of scripts and style sheets: the URLs requested from the server, not from the browser's cache.
    files: list[str] = field(default_factory=list)
    # Console errors, script errors and failed requests.
    complaints: list[str] = field(default_factory=list)

    def open(self, item: Annotation) -> None:
        """Open an item and wait until it can be decided and no request is under way."""
        self.files.clear()
        self.page.goto(f"{self.url}/annotations/{item.pk}")
        ready(self.page, item)
        self.page.wait_for_load_state("networkidle")


@pytest.fixture
def visit(browser: Browser, site: str, alice: User) -> Iterator[Visit]:
    """Alice's browser, with an empty cache."""
    context = browser.new_context()
    sign_in_browser(context, alice, site)
    visit = Visit(page=context.new_page(), url=site)
    from_cache: set[str] = set()

    def note_response(event: Any) -> None:
        url = event["response"]["url"]
        is_cached = event["response"].get("fromDiskCache") or event["requestId"] in from_cache
        if url.endswith((".js", ".css")) and not is_cached:
            visit.files.append(url)

    def note_failure(response: Response) -> None:
        if response.status >= 400:
            visit.complaints.append(f"{response.status} {response.url}")

    network = context.new_cdp_session(visit.page)
    network.send("Network.enable")
    network.on("Network.requestServedFromCache", lambda event: from_cache.add(event["requestId"]))
    network.on("Network.responseReceived", note_response)
    visit.page.on("response", note_failure)
    visit.page.on("requestfailed", lambda request: visit.complaints.append(request.url))
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    visit.page.on(
        "console",
        lambda message: (
            visit.complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    yield visit
    context.close()


def test_it_loads_few_files_of_code_and_style_once(visit: Visit, items: list[Annotation]) -> None:
    visit.open(items[0])
    first = sorted(visit.files)

    visit.open(items[1])

    assert len(first) <= MAX_FILES, first
    assert len(first) == len(set(first)), "a file was requested twice"
    assert [url for url in first if not HASHED.search(url)] == []
    names = {url.rpartition("/")[2].partition(".")[0] for url in first}
    assert names >= MODULES
    assert visit.files == [], "the second page requested them again"
    assert visit.complaints == []


def test_it_works_by_key_and_keeps_drafts(visit: Visit, items: list[Annotation]) -> None:
    put_in_use(items, "b")
    page = visit.page
    visit.open(items[0])
    page.keyboard.press("r")
    page.keyboard.type("Half a thought")
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved on the server")

    visit.open(items[0])
    expect(page.locator("#reasoning")).to_have_value("Half a thought")
    page.keyboard.press("Escape")
    page.locator('[name=choice][value="b"]').check(force=True)
    page.keyboard.press("Control+Enter")
    ready(page, items[1])

    answered(visit.page)
    decision = Decision.objects.get(annotation=items[0])
    assert (decision.label, decision.reasoning) == ("b", "Half a thought")
    assert page.evaluate("Object.keys(localStorage)") == []
    assert visit.complaints == []


@pytest.mark.parametrize("path", ["/annotations", "/preferences", "/accounts/login/"])
def test_it_has_no_failed_request_and_no_error_elsewhere(visit: Visit, path: str) -> None:
    visit.page.goto(f"{visit.url}{path}")
    visit.page.wait_for_load_state("networkidle")
    assert visit.complaints == []


def test_it_has_no_name_of_ours_on_the_window(visit: Visit, items: list[Annotation]) -> None:
    visit.page.goto(f"{visit.url}/health/live")
    own = "Object.getOwnPropertyNames(window)"
    before = set(visit.page.evaluate(own))
    visit.open(items[0])
    added = set(visit.page.evaluate(own)) - before
    named_elements = set(
        visit.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    )
    assert added - named_elements <= {"htmx"}
