"""The client over a real socket: connections, timeouts, broken answers, redirects."""

from __future__ import annotations

import gzip
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from reviewapp.mixpeek import Client, Garbled, MixpeekError, Unavailable, Unreadable
from tests.mixpeek.conftest import KEY
from tests.mixpeek.samples import ANNOTATION, RETRIEVER
from tests.mixpeek.server import Answer, FakeMixpeek

WHOLE = json.dumps(ANNOTATION).encode()
SETTINGS: dict[str, Any] = {
    "base_url": "https://api.mixpeek.com",
    "api_key": KEY,
    "namespace": "ns_1",
}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def test_it_sends_the_key_and_the_namespace_and_only_what_changed(
    client: Client, upstream: FakeMixpeek
) -> None:
    upstream.will(Answer(body=ANNOTATION))
    client.patch_annotation("ann_1", {"label": "approved"})
    (request,) = upstream.received
    assert (request.method, request.target) == ("PATCH", "/v1/annotations/ann_1")
    assert request.body == {"label": "approved"}
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["x-namespace"] == "ns_1"
    assert request.headers["content-type"] == "application/json"


def test_it_keeps_an_id_with_slashes_and_dots_in_its_place(
    client: Client, upstream: FakeMixpeek
) -> None:
    upstream.will(Answer(body=ANNOTATION | {"annotation_id": "../a?b#c%2F"}))
    client.get_annotation("../a?b#c%2F")
    assert upstream.received[0].target == "/v1/annotations/..%2Fa%3Fb%23c%252F"


def test_it_reuses_its_connection(client: Client, upstream: FakeMixpeek) -> None:
    upstream.will(Answer(body=ANNOTATION))
    for _ in range(5):
        client.get_annotation("ann_1")
    assert (len(upstream.received), upstream.connections) == (5, 1)


def test_it_reuses_its_connection_after_a_refusal(client: Client, upstream: FakeMixpeek) -> None:
    upstream.will(Answer(status=404, body={"detail": "Not Found"}), Answer(body=ANNOTATION))
    with pytest.raises(MixpeekError):
        client.get_annotation("ann_0")
    client.get_annotation("ann_1")
    assert upstream.connections == 1


def test_it_serves_many_threads_over_few_connections(upstream: FakeMixpeek) -> None:
    upstream.answer = lambda request: Answer(
        body=ANNOTATION | {"annotation_id": request.target.split("/")[-1]}
    )
    ids = [f"ann_{number}" for number in range(80)]
    with (
        Client(base_url=upstream.url, api_key=KEY, namespace="ns_1", pool_size=4) as client,
        ThreadPoolExecutor(4) as threads,
    ):
        records = list(threads.map(client.get_annotation, ids))
    assert [record.annotation_id for record in records] == ids
    assert upstream.connections <= 4


def test_it_unpacks_a_compressed_answer(client: Client, upstream: FakeMixpeek) -> None:
    upstream.will(Answer(body=gzip.compress(WHOLE), headers={"content-encoding": "gzip"}))
    assert client.get_annotation("ann_1").label == "approved"


def test_it_reads_an_answer_in_chunks(client: Client, upstream: FakeMixpeek) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (WHOLE[:9], WHOLE[9:]))
    upstream.will(Answer(raw=HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"))
    assert client.get_annotation("ann_1").label == "approved"


def impatient(upstream: FakeMixpeek) -> Client:
    return Client(base_url=upstream.url, api_key=KEY, namespace="ns_1", timeout=(0.5, 0.1))


def test_it_gives_up_on_a_server_that_never_answers(upstream: FakeMixpeek) -> None:
    upstream.will(Answer(raw=b"", hold=True))
    with impatient(upstream) as client, pytest.raises(Unavailable, match="in time") as late:
        client.patch_annotation("ann_1", {"label": "x"})
    assert late.value.maybe_applied
    # The client may have given up before the server's thread has read the request.
    assert upstream.has_received.wait(60)
    assert len(upstream.received) == 1


def test_it_gives_up_on_a_server_that_stops_in_the_middle(upstream: FakeMixpeek) -> None:
    upstream.will(Answer(raw=HEAD + b"Content-Length: 900\r\n\r\n{", hold=True))
    with impatient(upstream) as client, pytest.raises(Unavailable, match="in time"):
        client.get_annotation("ann_1")


@pytest.mark.parametrize(
    ("begun", "drip"),
    [
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="interim answers"),
        pytest.param(b"HTTP", b"/", id="status line"),
        pytest.param(HEAD + b"X-Long: ", b"x", id="a header"),
        pytest.param(HEAD + b"Content-Length: 90000\r\n\r\n", b" ", id="body"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0", id="chunk size"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", id="chunks"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n", id="trailers"),
    ],
)
def test_it_gives_up_on_a_server_that_drips(
    upstream: FakeMixpeek, begun: bytes, drip: bytes
) -> None:
    upstream.will(Answer(raw=begun, drip=drip))
    with impatient(upstream) as client:
        # On a busy machine the server may pause so long that this alone is given up.
        with pytest.raises(Unavailable, match="in time") as late:
            client.patch_annotation("ann_1", {"label": "x"})
        assert late.value.maybe_applied

        upstream.answers.clear()
        upstream.will(Answer(raw=HEAD + b"Content-Length: %d\r\n\r\n" % len(WHOLE) + WHOLE))
        assert client.get_annotation("ann_1")


def test_it_gives_up_on_an_answer_that_never_ends(upstream: FakeMixpeek) -> None:
    endless = HEAD + b"Content-Length: 200000000\r\n\r\n" + b" " * 80_000_000
    upstream.will(Answer(raw=endless))
    with (
        Client(base_url=upstream.url, api_key=KEY, namespace="ns_1") as client,
        pytest.raises(Unreadable, match="too large"),
    ):
        client.get_annotation("ann_1")


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", Unavailable),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Unavailable),
        (HEAD + b"Content-Length: 900\r\n\r\n" + WHOLE[:50], Garbled),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n50\r\n{", Garbled),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", Garbled),
        (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd", Garbled),
        (HEAD + b"\r\n" + WHOLE[:50], Garbled),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Sign in</html>", Garbled),
    ],
)
def test_it_knows_a_broken_answer_for_what_it_is(
    client: Client, upstream: FakeMixpeek, raw: bytes, kind: type[Unavailable]
) -> None:
    upstream.will(Answer(raw=raw))
    with pytest.raises(Unavailable) as broken:
        client.patch_annotation("ann_1", {"label": "x"})
    assert type(broken.value) is kind
    assert broken.value.maybe_applied
    assert len(upstream.received) == 1


def test_it_knows_that_nothing_was_done_when_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with (
            Client(base_url=url, api_key=KEY, namespace="ns_1") as client,
            pytest.raises(Unavailable, match="could not be reached") as away,
        ):
            client.patch_annotation("ann_1", {"label": "x"})
    assert not away.value.maybe_applied


def test_it_carries_its_key_nowhere_else(client: Client, upstream: FakeMixpeek) -> None:
    upstream.will(
        Answer(status=307, headers={"location": f"{upstream.url}/elsewhere"}),
        Answer(body=ANNOTATION),
    )
    with pytest.raises(Garbled, match="address of Mixpeek may be wrong"):
        client.get_annotation("ann_1")
    assert [request.target for request in upstream.received] == ["/v1/annotations/ann_1"]


def test_it_does_not_take_up_cookies(client: Client, upstream: FakeMixpeek) -> None:
    upstream.will(Answer(body=ANNOTATION, headers={"set-cookie": "a=b; Path=/"}))
    client.get_annotation("ann_1")
    client.get_annotation("ann_1")
    assert "cookie" not in upstream.received[1].headers


def test_it_retries_nothing_by_itself(client: Client, upstream: FakeMixpeek) -> None:
    upstream.will(Answer(status=503, body={}, headers={"retry-after": "3"}))
    with pytest.raises(Unavailable) as busy:
        client.get_annotation("ann_1")
    assert busy.value.retry_after == 3.0
    assert len(upstream.received) == 1


def test_it_leaves_a_machine_wide_login_aside(
    client: Client,
    upstream: FakeMixpeek,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    upstream.will(Answer(body=RETRIEVER))
    client.get_retriever("ret_1")
    assert upstream.received[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "changed",
    [
        {"base_url": "api.mixpeek.com"},
        {"base_url": "ftp://api.mixpeek.com"},
        {"base_url": "https://me:secret@api.mixpeek.com"},
        {"base_url": "https://api.mixpeek.com?x=1"},
        {"api_key": ""},
        {"api_key": "sk_live\r\nX-Evil: 1"},
        {"namespace": ""},
        {"namespace": "ns\n1"},
        {"timeout": (0, 30)},
        {"timeout": (5, float("inf"))},
    ],
)
def test_it_refuses_settings_that_can_never_work(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(changed))):
        Client(**(SETTINGS | changed))


def test_it_takes_the_address_with_or_without_its_version(upstream: FakeMixpeek) -> None:
    upstream.will(Answer(body=ANNOTATION))
    with Client(base_url=f"{upstream.url}/v1/", api_key=KEY, namespace="ns_1") as client:
        client.get_annotation("ann_1")
    assert upstream.received[0].target == "/v1/annotations/ann_1"


def test_it_says_how_long_a_call_can_last() -> None:
    with Client(**SETTINGS, timeout=(5, 30), execute_timeout=(5, 60)) as client:
        assert client.longest_call == 3 * 5 + 2 * 30
