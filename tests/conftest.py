"""The tests' database: a throw-away cluster of its own, unless DATABASE_URL names a server.

It lives beside the developer's data, never in it, and is kept between runs to save the second that
making one takes. Every run takes the first free slot and with it a database nobody else is testing
in.
"""

from __future__ import annotations

import fcntl
import gc
import itertools
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import hypothesis
import pytest
from django.conf import settings
from django.db import connections
from django.template.backends.jinja2 import Template
from django.test import override_settings
from django.test.signals import template_rendered
from playwright.sync_api import expect

from tests.proofs import examples
from tests.template_database import template_database

# A test never depends on the clock: a slow machine is no failure.
hypothesis.settings.register_profile(
    "steady",
    deadline=None,
    max_examples=examples(15, 400),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")
expect.set_options(timeout=30_000)

# In the order of their imports: pytest rewrites the assertions of a plugin only if nobody imported
# it before.
pytest_plugins = [
    "tests.factories",
    "tests.people",
    "tests.desk",
    "tests.tools.sandbox.shared",
    "tests.truncating",
]

# As in the Makefile.
_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_OF_A_BROWSER = {"page", "context", "browser"}
_BROWSER_TESTS = Path(__file__).parent / "browser"
_OF_A_SANDBOX = {"sandboxes", "box", "shared_box", "old_box", "shared_old_box"}
_LONGEST = Path(__file__).parent / "tools" / "drill" / "test_short_drill.py"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give each run a temporary folder of its own in the checkout.

    In the system's one, which all runs of a user share, pytest changes the rights of what another
    run's servers are in.
    """
    if config.option.basetemp is None and not hasattr(config, "workerinput"):
        number, lock = _free_slot(_folder(), "run")
        config.add_cleanup(lock.close)
        config.option.basetemp = _folder() / f"tmp{number}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Mark what needs a browser or a sandbox, and put the tests in an order that ends early.

    Browser tests run alone, since Playwright's event loop gives its thread another connection.
    """
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if _OF_A_SANDBOX & fixtures:
            item.add_marker(pytest.mark.process)
        if _OF_A_BROWSER & fixtures:
            item.add_marker(pytest.mark.browser)
            if item.path.parent != _BROWSER_TESTS:
                raise pytest.UsageError(
                    f"{item.nodeid} needs a browser, so it belongs into tests/browser."
                )
    yield
    # pytest-django has put these last, since they use none of its databases. They mostly wait, so
    # they begin, the longest first, beside all others, which the other workers begin with.
    items.sort(key=lambda item: (item.path != _LONGEST, not _only_starts_processes(item)))


def _only_starts_processes(item: pytest.Item) -> bool:
    uses_database = "db" in getattr(item, "fixturenames", ()) or item.get_closest_marker(
        "django_db"
    )
    return not uses_database and item.get_closest_marker("process") is not None


def pytest_collection_finish() -> None:
    """Freeze the garbage collector's view of what stays for the run; saves a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def plain_http() -> Iterator[None]:
    """Let the test client speak plain http and pages name static files that nobody has collected."""
    uncollected = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with override_settings(
        SECURE_SSL_REDIRECT=False,
        SESSION_COOKIE_SECURE=False,
        CSRF_COOKIE_SECURE=False,
        STORAGES=uncollected,
        WHITENOISE_AUTOREFRESH=True,
        # The sandbox has no limit; what the budget does is tested where it is set.
        MIXPEEK_REQUESTS_PER_MINUTE=600_000,
        # Tests say what is sent; who decided is told where that is tested.
        MIXPEEK_WHO="none",
    ):
        yield


@pytest.fixture(scope="session", autouse=True)
def recorded_contexts() -> Iterator[None]:
    """Let the test client see the contexts of Jinja2 templates, as it sees those of Django's."""
    render = Template.render

    def recorded_render(
        template: Template, context: dict[str, Any] | None = None, request: Any = None
    ) -> str:
        context = {} if context is None else context
        html = render(template, context, request)
        template_rendered.send(sender=template, template=template, context=context)
        return html

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "render", recorded_render)
        yield


@pytest.fixture(autouse=True)
def counted_anew() -> None:
    """Let no test plan with the sizes of another test's mirror."""
    from reviewapp.sync.list_sizes import sizes

    sizes.clear()


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """Point the default connection at the throw-away cluster before the test database is made."""
    with ExitStack() as slot:
        wanted = connections["default"].settings_dict
        if wanted.get("EMBEDDED"):
            folder = _folder()
            number, lock = _free_slot(folder, "slot")
            slot.enter_context(lock)
            wanted.update(EMBEDDED_DIR=folder / "postgres", EMBEDDED_DURABLE=False)
            # On a busy machine the server may need its time to answer.
            wanted["OPTIONS"]["connect_timeout"] = 60
            wanted["TEST"].update(
                NAME=f"test_reviewapp_{number}", TEMPLATE=template_database(folder)
            )
        yield


@pytest.fixture(scope="session")
def base_url() -> None:
    """Have no base; this replaces Playwright's fixture, whose form pytest 9.2 warns about."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the system's browser where there is one (as `make test` does), else Playwright's own."""
    # Playwright keeps an event loop in this thread, which Django would take for asynchronous code
    # of ours.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    own = {"executable_path": browser} if browser else {}
    # Nothing here needs a graphics card, and drawing as if there were one takes half of the
    # processor; another process for each page of one site takes a sixth.
    arguments = ["--disable-gpu", "--renderer-process-limit=1"]
    return {**browser_type_launch_args, **own, "args": arguments}


def _folder() -> Path:
    folder = Path(settings.VAR_DIR) / "tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _free_slot(folder: Path, name: str) -> tuple[int, TextIO]:
    for number in itertools.count(1):
        lock = (folder / f"{name}{number}").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            return number, lock
    raise AssertionError("there is always a next number")
