"""When a request has arrived as a whole, whatever the pieces it comes in."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from reviewapp.operations.server.request_parser import MOST_HEAD, ArrivingRequest

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"


def arrived(data: bytes, *, step: int = 1, most_body: int = 100) -> ArrivingRequest:
    """Return what has arrived of this data, so many bytes at a time."""
    request = ArrivingRequest(most_body=most_body)
    for start in range(0, len(data), step):
        request.feed(data[start : start + step])
    return request


@pytest.mark.parametrize("step", [1, 3, 1000])
@pytest.mark.parametrize("data", [GET, POST])
def test_it_is_whole_with_its_last_byte(data: bytes, step: int) -> None:
    assert not arrived(data[:-1], step=step).is_whole
    request = arrived(data, step=step)
    assert request.is_whole
    assert request.take() == data
    assert (len(request), request.is_whole) == (0, False)


def test_it_leaves_the_next_request_where_it_is() -> None:
    request = arrived(POST + GET + POST[:-1], step=1000)
    assert [request.take(), request.take()] == [POST, GET]
    assert not request.is_whole
    request.feed(POST[-1:])
    assert request.take() == POST


def test_it_passes_over_empty_lines_before_a_request() -> None:
    assert arrived(b"\r\n\r\n" + GET).take() == GET
    assert not arrived(b"\r\n\r\n").has_head


def test_it_answers_an_expectation_itself() -> None:
    head = b"POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n"
    request = arrived(head)
    assert request.expects_continue
    request.feed(b"hello")
    assert request.take() == POST
    assert not request.expects_continue


def test_it_takes_a_body_that_is_too_large_for_whole_without_it() -> None:
    head = b"POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n"
    request = arrived(head + b"x" * 50)
    assert request.is_whole
    assert not request.expects_continue
    assert request.take() == b"POST /a HTTP/1.1\r\nConnection: close\r\nContent-Length: 101\r\n\r\n"
    assert len(request) == 0


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * MOST_HEAD, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
        (
            b"GET / HTTP/1.1\r\nX: " + b"x" * MOST_HEAD + b"\r\n\r\n",
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        ),
        (b"GET /?" + b"x" * MOST_HEAD, HTTPStatus.REQUEST_URI_TOO_LONG),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", HTTPStatus.LENGTH_REQUIRED),
    ],
)
def test_it_refuses_what_has_no_end(data: bytes, status: HTTPStatus) -> None:
    assert arrived(data, step=len(data)).refusal == status


@pytest.mark.parametrize(
    "lengths",
    [b"Content-Length: 5\r\nContent-Length: 6", b"Content-Length: +5", b"Content-Length: "],
)
def test_it_leaves_a_malformed_length_to_the_server(lengths: bytes) -> None:
    data = b"POST / HTTP/1.1\r\n" + lengths + b"\r\n\r\n"
    assert arrived(data).take() == data
