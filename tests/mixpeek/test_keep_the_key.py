"""The API key shows up nowhere but in the request's header."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback

import pytest

from reviewapp.mixpeek import Client, MixpeekError, Refused
from tests.mixpeek.conftest import KEY
from tests.mixpeek.samples import ANNOTATION
from tests.mixpeek.server import Answer, FakeMixpeek


def everything_about(error: BaseException) -> str:
    """Return what a logger or error page could show: traceback with locals, chain, attributes.

    The frame of the test itself is left out, for it holds the key.
    """
    assert error.__traceback__
    trace = traceback.TracebackException(
        type(error), error, error.__traceback__.tb_next, capture_locals=True
    )
    chain = [error, error.__cause__, error.__context__]
    return "".join(trace.format()) + repr([(link, vars(link), link.args) for link in chain if link])


ESCAPED = "".join(f"\\u{ord(char):04X}" for char in KEY)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(
            status=401,
            body={"error": {"message": f"bad key {KEY}", "type": KEY, "details": {"key": KEY}}},
        ),
        Answer(status=401, body=f'{{"error": {{"message": "bad key {ESCAPED}"}}}}'.encode()),
        Answer(
            status=422, body={"detail": [{"loc": ["header", KEY], "msg": f"not {KEY.upper()}"}]}
        ),
        Answer(status=500, body=f"Traceback: Authorization: Bearer {KEY}".encode()),
        Answer(status=503, body={}, headers={"x-request-id": KEY, "retry-after": KEY}),
        Answer(status=307, headers={"location": f"https://elsewhere.example/?key={KEY}"}),
        Answer(status=200, body=[KEY]),
        Answer(status=200, body={"results": []}, headers={"x-namespace-unresolved": KEY}),
        Answer(raw=b""),
        Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n" + KEY.encode()),
        Answer(raw=f"{KEY} is no status line\r\n".encode()),
    ],
)
def test_it_is_in_no_error(client: Client, upstream: FakeMixpeek, answer: Answer) -> None:
    upstream.will(answer)
    with pytest.raises(MixpeekError) as caught:
        client.patch_annotation("ann_1", {"label": "x"})
    text = everything_about(caught.value).casefold()
    assert KEY.casefold() not in text
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_it_is_in_no_error_when_the_server_is_gone(upstream: FakeMixpeek) -> None:
    with Client(base_url="http://127.0.0.1:1", api_key=KEY, namespace="ns_1") as client:
        with pytest.raises(MixpeekError) as caught:
            client.get_annotation("ann_1")
        assert KEY not in everything_about(caught.value)
    assert not upstream.received


def test_it_is_in_no_log(
    client: Client, upstream: FakeMixpeek, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.will(Answer(body=ANNOTATION), Answer(status=500, body={}))
    with caplog.at_level(logging.DEBUG):
        client.get_annotation("ann_1")
        with pytest.raises(MixpeekError):
            client.get_annotation("ann_1")
    assert "ann_1" in caplog.text
    assert KEY not in caplog.text


def test_it_is_in_no_repr(client: Client) -> None:
    assert "***" in repr(client)
    parts = [client, *vars(client).values()]
    texts = [repr(part) + str(part) + repr(getattr(part, "__dict__", "")) for part in parts]
    assert KEY not in "".join(texts)


def test_it_is_found_in_its_escaped_spelling_too(client: Client, upstream: FakeMixpeek) -> None:
    upstream.will(
        Answer(status=401, body=f'{{"error": {{"message": "bad key {ESCAPED}!"}}}}'.encode())
    )
    with pytest.raises(MixpeekError) as caught:
        client.get_annotation("ann_1")
    assert caught.value.message == "bad key ***!"


def test_it_is_wiped_from_data_too(client: Client, upstream: FakeMixpeek) -> None:
    upstream.will(Answer(body=json.dumps(ANNOTATION | {"reasoning": f"curl -H {KEY}"}).encode()))
    assert client.get_annotation("ann_1").reasoning == "curl -H ***"


def test_it_cannot_be_written_to_a_queue_or_a_cache(client: Client) -> None:
    with pytest.raises(TypeError, match="a key is not written anywhere"):
        pickle.dumps(client)
    with pytest.raises(TypeError, match="a key is not written anywhere"):
        copy.deepcopy(client)


def test_it_lets_errors_travel_between_processes() -> None:
    error = Refused("no", status=422, request_id="r", fields={"label": "too long"})
    again = pickle.loads(pickle.dumps(error))
    assert (again.message, again.status, again.fields) == ("no", 422, {"label": "too long"})
