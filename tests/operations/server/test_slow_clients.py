"""A real web process serves others beside clients that are slow or hold connections."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPResponse

import pytest
from pytest_django import DjangoDbBlocker

from reviewapp.operations.server.buffering_worker import MOST_BUFFERED
from tests.operations.processes import environment, listens, reserved_port, running, until
from tests.operations.server.patient_gunicorn import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process]

COMMAND = [
    "-c",
    "python:reviewapp.operations.gunicorn_conf",
    "reviewapp.wsgi:application",
]
# As `gunicorn_conf` says, which cannot be imported here: it begins to count for many processes.
WORKER_CONNECTIONS = 800
# One process has eight threads.
MANY = 40
HEAD = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n"
FORM = HEAD + b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def port(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[int]:
    """The port of a web process of one worker, with plain http, that waits long for requests."""
    with web_server("tests.operations.server.patient_gunicorn", django_db_blocker) as number:
        yield number


@pytest.fixture
def impatient_port(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[int]:
    """The port of a web process that waits for requests as long as in production."""
    with web_server("gunicorn", django_db_blocker) as number:
        yield number


@contextmanager
def web_server(module: str, django_db_blocker: DjangoDbBlocker) -> Iterator[int]:
    """Run a web process of one worker, with plain http; yield its port."""
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        env = environment(WEB_CONCURRENCY="1", DEBUG="on")
        number = stack.enter_context(reserved_port())
        command = ["-m", module, *COMMAND, "--bind", f"127.0.0.1:{number}"]
        web = stack.enter_context(running(command, env))
        # It listens before it has loaded the app.
        until(lambda: listens(number) and is_answered(number), web)
        yield number


@pytest.fixture
def crowd(port: int) -> Iterator[list[socket.socket]]:
    """Many connections, on which nothing was sent yet."""
    with ExitStack() as stack:
        yield [stack.enter_context(connect(port)) for _ in range(MANY)]


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def is_answered(port: int) -> bool:
    """Return whether the site answers somebody else, sooner than it gives those up who are slow."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE - 50)) as other:
        try:
            other.request("GET", "/health/live")
            return other.getresponse().read() == b"alive\n"
        except TimeoutError:
            return False


def answer_on(client: socket.socket) -> tuple[int, bytes]:
    """Return status and body of the answer that comes."""
    response = HTTPResponse(client)
    response.begin()
    return response.status, response.read()


@pytest.mark.parametrize(
    "half",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: local", id="a head"),
        pytest.param(FORM + b"Content-Length: 900000\r\n\r\nlogin=", id="a body"),
        pytest.param(
            FORM + b"Content-Length: 90000000\r\n\r\nlogin=", id="a body that is too large"
        ),
        pytest.param(FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\nlog", id="a chunk"),
        pytest.param(
            FORM + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", id="an expectation"
        ),
        pytest.param(b"\r\n\r\n", id="empty lines"),
        pytest.param(b"GET /health/live HTTP/1.0\r\n\r\n", id="and never closes"),
        pytest.param(
            b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\nGET /", id="and half of the next"
        ),
    ],
)
def test_it_answers_others_beside_many_who_send_half(
    port: int, crowd: list[socket.socket], half: bytes
) -> None:
    for client in crowd:
        client.sendall(half)
    assert [is_answered(port) for _ in range(3)] == [True, True, True]


def test_it_answers_others_beside_many_who_do_not_read(
    port: int, crowd: list[socket.socket]
) -> None:
    for client in crowd:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.sendall(
            b"GET /static/vendor/swagger-ui/swagger-ui.css HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
    assert [is_answered(port) for _ in range(3)] == [True, True, True]


def test_it_answers_a_request_that_comes_in_pieces(port: int) -> None:
    body = b"login=alice&password=x"
    request = FORM + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with connect(port) as client:
        for start in range(0, len(request), 10):
            client.sendall(request[start : start + 10])
        # No token came with it.
        assert answer_on(client)[0] == 403


def test_it_answers_one_request_after_another_on_one_connection(port: int) -> None:
    live = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connect(port) as client:
        client.sendall(live)
        assert answer_on(client) == (200, b"alive\n")
        client.sendall(live + live)
        answers = b""
        while answers.count(b"alive\n") < 2 and (more := client.recv(1000)):
            answers += more
    assert answers.count(b"HTTP/1.1 200 OK") == answers.count(b"alive\n") == 2


def test_it_says_that_a_request_did_not_arrive_in_time(impatient_port: int) -> None:
    with connect(impatient_port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: local")
        assert answer_on(client) == (408, b"Request Timeout\n")


def test_it_refuses_a_body_whose_length_nobody_knows(port: int) -> None:
    with connect(port) as client:
        client.sendall(FORM + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        assert answer_on(client)[0] == 411


def test_it_lets_a_client_read_why_its_body_is_refused(port: int) -> None:
    with connect(port) as client:
        client.sendall(FORM + b"Content-Length: 2000000\r\n\r\n" + b"x" * 2_000_000)
        status, page = answer_on(client)
    # So says Django's own page, with DEBUG on.
    assert (status, b"RequestDataTooBig" in page) == (400, True)


@pytest.mark.parametrize("length", [17_000, 40_000, 200_000])
def test_it_says_on_a_page_that_an_address_is_too_long(port: int, length: int) -> None:
    with connect(port) as client:
        client.sendall(
            b"GET /annotations?q=" + b"x" * length + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        status, page = answer_on(client)
    assert status == 414
    assert b"Your filter or selection does not fit" in page


def test_it_takes_a_long_address_that_the_next_page_repeats(port: int) -> None:
    address = b"/annotations?q=" + b"x" * 15_000
    with connect(port) as client:
        client.sendall(
            b"GET " + address + b" HTTP/1.1\r\nHost: localhost\r\n"
            b"Referer: http://localhost" + address + b"\r\n"
            b"HX-Current-URL: http://localhost" + address + b"\r\n\r\n"
        )
        assert answer_on(client)[0] == 302


def test_it_takes_nobodys_word_for_where_the_site_is(port: int) -> None:
    with connect(port) as client:
        client.sendall(
            b"GET /annotations HTTP/1.1\r\nHost: localhost\r\nSCRIPT_NAME: /elsewhere\r\n\r\n"
        )
        response = HTTPResponse(client)
        response.begin()
    assert (response.status, response.headers["Location"]) == (
        302,
        "/accounts/login/?next=%2Fannotations",
    )


@pytest.mark.parametrize("forged", [{"X-Forwarded-Proto": "https"}, {"X-Forwarded-Ssl": "on"}])
def test_it_takes_nobodys_word_for_how_a_request_came(port: int, forged: dict[str, str]) -> None:
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as client:
        client.request("GET", "/accounts/login/")
        response = client.getresponse()
        cookie = response.headers["Set-Cookie"].partition(";")[0]
        response.read()

        body = f"csrfmiddlewaretoken={cookie.partition('=')[2]}"
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded", **forged}
        client.request("POST", "/accounts/login/", body, headers)
        # Over https Django would miss the referrer.
        assert client.getresponse().status == 422


def is_closed(client: socket.socket) -> bool:
    """Return whether the server has closed this connection; waits for nothing."""
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_it_closes_the_connection_that_waits_longest_above_the_bound(port: int) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(port)) for _ in range(WORKER_CONNECTIONS + 10)]

        assert is_answered(port)
        assert is_closed(clients[0])
        assert not is_closed(clients[-1])


def test_it_refuses_the_request_that_waits_longest_above_the_bound_of_bytes(port: int) -> None:
    body = b"x" * 1_000_000
    crowd_size = MOST_BUFFERED // len(body) + 5
    with ExitStack() as stack:
        clients = []
        for _ in range(crowd_size):
            client = stack.enter_context(connect(port))
            # Not the whole body, so that it waits.
            client.sendall(FORM + b"Content-Length: %d\r\n\r\n" % (len(body) + 1) + body)
            clients.append(client)

        assert is_answered(port)
        assert answer_on(clients[0])[0] == 503
        assert not is_closed(clients[-1])
