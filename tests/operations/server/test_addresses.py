"""Where a web process is reached: below a path, over IPv4 and IPv6, beside another installation."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
import requests
from django.contrib.auth.hashers import make_password
from pytest_django import DjangoDbBlocker

from reviewapp.accounts import roles
from reviewapp.operations.server.addresses import bind_address, without_mapping
from tests.factories import make_annotation, make_change, make_execution, make_result
from tests.operations.processes import environment, reserved_port, running, until
from tests.people import PASSWORD, make_person

GUNICORN = ("-m", "gunicorn", "-c", "python:reviewapp.operations.gunicorn_conf")
PREFIX = "/tools/review"
FOLLOWED = ("href", "src", "poster", "hx-get")
POSTED = ("action", "formaction", "hx-post", "data-url", "data-sign-in", "data-who", "data-home")
# What leads out of the site, or nowhere.
NOT_OURS = ("#", "javascript:", "http://", "https://", "mailto:", "data:")
ONE_PROCESS = {"WEB_CONCURRENCY": "1", "DEBUG": "on", "LOG_LEVEL": "WARNING"}


def is_answered(url: str) -> bool:
    try:
        return requests.get(f"{url}/health/live", timeout=60).text == "alive\n"
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def port(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[int]:
    """The port of a web process below `PREFIX`, with no HOST."""
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        number = stack.enter_context(reserved_port())
        env = environment(**ONE_PROCESS, SCRIPT_NAME=f"{PREFIX}/", PORT=str(number), INSTANCE="")
        web = stack.enter_context(running((*GUNICORN, "reviewapp.wsgi:application"), env))
        until(lambda: is_answered(f"http://127.0.0.1:{number}"), web)
        yield number


@pytest.fixture(scope="module")
def other_port(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[int]:
    """The port of another installation on this host, with IPv4 alone and below no path."""
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        number = stack.enter_context(reserved_port())
        variables = {"HOST": "127.0.0.1", "PORT": str(number), "SECRET_KEY": "j" * 64}
        env = environment(**ONE_PROCESS, **variables, INSTANCE="")
        web = stack.enter_context(running((*GUNICORN, "reviewapp.wsgi:application"), env))
        until(lambda: is_answered(f"http://127.0.0.1:{number}"), web)
        yield number


@pytest.fixture
def lena_by_password(transactional_db: None) -> None:
    """A lead and admin's work: somebody who may open every page, and something to see on it."""
    make_person("carol", roles.ADMIN, password=make_password(PASSWORD))
    result = make_result(execution=make_execution())
    make_change(make_annotation(), "conflict", theirs={"label": "van"})
    make_annotation(result=result, document_id=result.document_id)


def sign_in(session: requests.Session, site: str, **fields: str) -> requests.Response:
    """Sign in as carol by the form, and return the answer, to which no redirect was followed."""
    page = session.get(f"{site}/accounts/login/", timeout=60)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token, page.text
    form = {"csrfmiddlewaretoken": token[1], "login": "carol", "password": PASSWORD, **fields}
    return session.post(f"{site}/accounts/login/", data=form, allow_redirects=False, timeout=60)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.followed: set[str] = set()
        self.posted: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Gather what an element leads to or requests; most forms are for a POST."""
        for name, value in attrs:
            if not value or value.startswith(NOT_OURS):
                continue
            if name in FOLLOWED:
                self.followed.add(value)
            elif name in POSTED:
                self.posted.add(value)


def links_of(page: str) -> _Links:
    """Return every path of the site that a page names."""
    links = _Links()
    links.feed(page)
    return links


def reaches(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=30):
            return True
    except OSError:
        return False


@pytest.mark.process
@pytest.mark.usefixtures("lena_by_password")
def test_it_works_below_a_path(port: int) -> None:
    site = f"http://127.0.0.1:{port}{PREFIX}"
    session = requests.Session()

    # A stranger is led to the sign-in and back.
    answer = session.get(f"{site}/history?q=a", allow_redirects=False, timeout=60)
    sign_in_page = unquote(answer.headers["Location"])
    assert sign_in_page == f"{PREFIX}/accounts/login/?next={PREFIX}/history?q=a"
    assert sign_in(session, site, next=f"{PREFIX}/history").headers["Location"] == (
        f"{PREFIX}/history"
    )
    assert sign_in(requests.Session(), site).headers["Location"] == f"{PREFIX}/"
    outside = sign_in(requests.Session(), site, next="/another/app")
    assert outside.headers["Location"] == f"{PREFIX}/"
    for cookie in session.cookies:
        assert cookie.path in {PREFIX, "/"}
    for home in (site, f"{site}/"):
        answer = session.get(home, allow_redirects=False, timeout=60)
        assert answer.headers["Location"] == f"{PREFIX}/annotations"

    # Every page names paths below the prefix alone, and they lead somewhere.
    seen: set[str] = set()
    waiting = [f"{PREFIX}/annotations", f"{PREFIX}/nowhere"]
    while waiting:
        path = waiting.pop()
        page = session.get(f"http://127.0.0.1:{port}{path}", timeout=60)
        assert page.status_code in {200, 204} or path.endswith("/nowhere"), path
        if "text/html" not in page.headers.get("Content-Type", ""):
            continue
        links = links_of(page.text)
        for link in links.followed | links.posted:
            assert link.startswith((f"{PREFIX}/", "?")), (path, link)
        for link in links.followed:
            kind = re.sub(r"\d+", "N", link.partition("#")[0].partition("?")[0])
            if kind and kind not in seen:
                seen.add(kind)
                waiting.append(link)
    assert {f"{PREFIX}/{name}" for name in ("history", "people", "retrievers", "tokens")} <= seen
    assert any(name.startswith(f"{PREFIX}/static/") for name in seen)


@pytest.mark.process
def test_it_is_reached_over_both_families(port: int, other_port: int) -> None:
    assert reaches("127.0.0.1", port)
    assert reaches("127.0.0.1", other_port)
    if socket.has_dualstack_ipv6():
        assert reaches("::1", port)
        assert requests.get(f"http://[::1]:{port}/health/live", timeout=60).text == "alive\n"
    assert not reaches("::1", other_port)


@pytest.mark.process
def test_it_knows_this_machine_over_both_families(port: int) -> None:
    hosts = ["127.0.0.1"]
    if socket.has_dualstack_ipv6():
        hosts.append("[::1]")
    for host in hosts:
        # Without METRICS_TOKEN, for this machine only.
        assert requests.get(f"http://{host}:{port}/metrics", timeout=60).status_code == 200


@pytest.mark.process
@pytest.mark.usefixtures("lena_by_password")
def test_it_leaves_the_sign_in_at_another_installation_alone(port: int, other_port: int) -> None:
    sites = [f"http://127.0.0.1:{port}{PREFIX}", f"http://127.0.0.1:{other_port}"]
    # A browser sends a host's cookies to every port.
    browser = requests.Session()
    for site in sites:
        assert sign_in(browser, site).status_code == 302
    for site in [*sites, *sites]:
        answer = browser.get(f"{site}/preferences", allow_redirects=False, timeout=60)
        assert answer.status_code == 200, site


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "127.0.0.1:80"),
        ("0.0.0.0", "0.0.0.0:80"),
        ("::", "[::]:80"),
        ("::1", "[::1]:80"),
        ("localhost", "localhost:80"),
    ],
)
def test_it_binds_to_the_host_that_is_named(host: str, expected: str) -> None:
    assert bind_address(host, 80) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("::1", "::1"),
        ("", ""),
    ],
)
def test_it_knows_an_ipv4_address_as_such(address: str, expected: str) -> None:
    assert without_mapping(address) == expected
