"""The far side of the wire, and a client that talks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reviewapp.mixpeek import Client
from tests.mixpeek.server import FakeMixpeek

KEY = "sk_live_3c1f9a77e2"


@pytest.fixture
def upstream() -> Iterator[FakeMixpeek]:
    server = FakeMixpeek()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(upstream: FakeMixpeek) -> Iterator[Client]:
    with Client(base_url=upstream.url, api_key=KEY, namespace="ns_1") as opened:
        yield opened
