"""Clients of the JSON API: tokens, raw calls by the test client, the SDK over a real socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from reviewapp.api import tokens
from tests.official_sdk import mixpeek

NAMESPACE = "ns_sample"


class Caller:
    """One token's raw calls: JSON in, JSON out."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.client = Client(raise_request_exception=False)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send one request and return Django's response; `If_Match="..."` is a header."""
        content: str | bytes = ""
        if isinstance(body, str | bytes):
            content = body
        elif body is not None:
            content = json.dumps(body)

        all_headers = {"Authorization": f"Bearer {self.secret}"}
        for name, value in headers.items():
            all_headers[name.replace("_", "-")] = value
        return self.client.generic(
            method, f"/api{path}", content, content_type="application/json", headers=all_headers
        )


@pytest.fixture(autouse=True)
def namespace(settings: Settings) -> None:
    """Give the gateway the sandbox's namespace."""
    settings.MIXPEEK_NAMESPACE = NAMESPACE


@pytest.fixture
def secret_of(db: None) -> Callable[..., str]:
    """Return a function that makes a token for somebody."""

    def make(person: User, scope: str = "admin", days: int = 1) -> str:
        return tokens.create_token(person, name="script", scope=scope, days=days, actor=None)[1]

    return make


@pytest.fixture
def call(secret_of: Callable[..., str]) -> Callable[..., Caller]:
    """Return a function that makes a caller: `call(alice, "read")`."""
    return lambda person, scope="admin": Caller(secret_of(person, scope))


@pytest.fixture
def as_alice(call: Callable[..., Caller], alice: User) -> Caller:
    """A reviewer's script."""
    return call(alice)


@pytest.fixture
def as_lena(call: Callable[..., Caller], lena: User) -> Caller:
    """A lead's script."""
    return call(lena)


@pytest.fixture
def as_adam(call: Callable[..., Caller], adam: User) -> Caller:
    """An admin's script."""
    return call(adam)


@pytest.fixture
def sdk(
    transactional_db: None, live_server: LiveServer, settings: Settings
) -> Iterator[Callable[[str], mixpeek.ApiClient]]:
    """Return a function that makes an official client of the running gateway for a secret."""
    clients: list[mixpeek.ApiClient] = []

    def connect(secret: str) -> mixpeek.ApiClient:
        namespace = {"NamespaceHeader": settings.MIXPEEK_NAMESPACE}
        configuration = mixpeek.Configuration(
            host=f"{live_server.url}/api", access_token=secret, api_key=namespace, retries=False
        )
        clients.append(mixpeek.ApiClient(configuration))
        return clients[-1]

    yield connect
    for client in clients:
        client.rest_client.pool_manager.clear()
