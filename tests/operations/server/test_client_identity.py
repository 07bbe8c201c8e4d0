"""By what clients are told apart."""

from __future__ import annotations

import pytest

from reviewapp.operations.server.client_identity import client_of
from reviewapp.operations.server.fair_queue import ClientIdentity


def client(*fields: str, address: str = "10.0.0.1", behind_proxy: bool = False) -> ClientIdentity:
    head = "\r\n".join(["GET / HTTP/1.1", "Host: localhost", *fields]).encode("latin-1")
    return client_of(head, address=address, session_cookie="sessionid", behind_proxy=behind_proxy)


@pytest.mark.parametrize(
    ("fields", "credentials"),
    [
        ([], ""),
        (["Cookie: sessionid=abc"], "abc"),
        (["cookie: theme=dark; sessionid=abc; x=y"], "abc"),
        (["Cookie: notsessionid=abc"], ""),
        (["Cookie: ;;=;sessionid"], ""),
        (["Authorization: Bearer t1"], "Bearer t1"),
        (["Authorization: Bearer t1", "Cookie: sessionid=abc"], "Bearer t1"),
        (["Cookie: sessionid=\xff\xfe"], "\xff\xfe"),
    ],
)
def test_it_takes_the_token_or_the_session(fields: list[str], credentials: str) -> None:
    assert client(*fields) == ClientIdentity(network="10.0.0.1", credentials=credentials)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_it_takes_the_network_of_an_address(address: str, network: str) -> None:
    assert client(address=address).network == network


def test_it_believes_a_proxy_only_where_there_is_one() -> None:
    forwarded = "X-Forwarded-For: 1.1.1.1, 2.2.2.2"
    assert client(forwarded).network == "10.0.0.1"
    assert client(forwarded, behind_proxy=True).network == "2.2.2.2"
    assert client(behind_proxy=True).network == "10.0.0.1"
