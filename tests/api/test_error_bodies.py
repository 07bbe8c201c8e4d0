"""What is refused before or beside every endpoint is refused in Mixpeek's error body as well."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings

from reviewapp import urls
from reviewapp.accounts.models import User
from tests.api.conftest import Caller

handler400, handler403, handler500 = urls.handler400, urls.handler403, urls.handler500


def fails(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a secret of ours")


def reads(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.POST["x"])


urlpatterns = [path("api/v0/fails", fails), path("api/v0/reads", reads), *urls.urlpatterns]


def refused(reply: Any, status: int, kind: str) -> str:
    """Return the message of a refusal that has the shape of the contract."""
    assert reply.status_code == status
    assert reply["Content-Type"] == "application/json"
    body = reply.json()
    assert (body["success"], body["status"], body["error"]["type"]) == (False, status, kind)
    assert body["error"].keys() == {"message", "type", "code", "details"}
    assert reply["X-Request-ID"]
    return str(body["error"]["message"])


@pytest.fixture
def away() -> Any:
    """Make the database unreachable for whatever asks it."""
    error = OperationalError("no")
    error.__cause__ = psycopg.OperationalError("connection refused")

    def lost(*_: Any) -> None:
        raise error

    return lost


def test_it_says_that_the_database_is_away(as_alice: Caller, away: Any) -> None:
    with connection.execute_wrapper(away):
        refused(as_alice("POST", "/v1/annotations/list", {}), 503, "ServiceUnavailableError")


@pytest.mark.django_db
def test_it_says_so_when_a_middleware_finds_the_database_away(
    alice: User, away: Any, settings: Settings
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.api.test_error_bodies.Asking"]
    browser = Client(raise_request_exception=False)
    with connection.execute_wrapper(away):
        reply = browser.get("/api/v1/retrievers/ret_1")
    assert (
        refused(reply, 503, "ServiceUnavailableError")
        == "The database is not available. Try again."
    )
    assert reply["Retry-After"] == "5"


class Asking:
    """A middleware that asks the database."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        User.objects.exists()
        return self.get_response(request)


@pytest.mark.parametrize(
    "address", ["/api/v2/annotations", "/api/", "/v1/annotations/list", "/v1/"]
)
def test_it_knows_no_other_path(client: Client, address: str) -> None:
    error = refused(client.post(address), 404, "NotFoundError")
    assert "begin with /api/v1" in error


@pytest.mark.parametrize("address", ["/api/v1/annotations/list", "/v1/annotations"])
def test_it_refuses_another_host(client: Client, address: str) -> None:
    refused(client.get(address, headers={"Host": "evil.example"}), 400, "BadRequestError")


def test_it_tells_nothing_of_what_failed_here(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [
        middleware for middleware in settings.MIDDLEWARE if "accounts" not in middleware
    ]
    browser = Client(raise_request_exception=False)
    assert "secret" not in refused(browser.get("/api/v0/fails"), 500, "InternalServerError")
    large = {"x": "x" * (1024 * 1024 + 1)}
    refused(
        browser.post("/api/v0/reads", large, "application/x-www-form-urlencoded"),
        413,
        "PayloadTooLargeError",
    )


def test_it_leaves_pages_for_people_alone(client: Client) -> None:
    for address in ("/nowhere", "/api/docs/nowhere", "/v11"):
        reply = client.get(address)
        assert reply.status_code == 404
        assert reply["Content-Type"].startswith("text/html")
