"""Who comes in through the JSON API, and what everybody else is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.api.models import ApiToken
from tests.api.conftest import Caller
from tests.factories import make_annotation, make_retriever

pytestmark = pytest.mark.django_db
LIST = "/v1/annotations/list"


def refused(reply: Any, status: int, kind: str) -> dict[str, Any]:
    """Return the error of a refusal that is in Mixpeek's shape."""
    assert reply.status_code == status, reply.content
    body = reply.json()
    assert (body["success"], body["status"], body["error"]["type"]) == (False, status, kind)
    error: dict[str, Any] = body["error"]
    return error


@pytest.mark.parametrize("secret", ["", "rvw_", "rvw_" + "a" * 43, "sk_live", "rvw_" + "é" * 43])
def test_it_refuses_what_is_no_token(db: None, secret: str) -> None:
    reply = Caller("")("POST", LIST, Authorization=f"Bearer {secret}".encode().decode("latin-1"))
    refused(reply, 401, "UnauthorizedError")
    assert reply["WWW-Authenticate"].startswith("Bearer")


def test_it_refuses_a_request_without_a_token(client: Client) -> None:
    refused(client.post(f"/api{LIST}"), 401, "UnauthorizedError")


def test_it_takes_no_session_for_a_token(client: Client, adam: User) -> None:
    client.force_login(adam)
    refused(client.post(f"/api{LIST}"), 401, "UnauthorizedError")


def test_it_gives_a_script_no_cookie(as_alice: Caller) -> None:
    reply = as_alice("PATCH", f"/v1/annotations/{make_annotation().annotation_id}", {"label": "a"})
    assert (reply.status_code, list(reply.cookies)) == (200, [])


def test_it_refuses_an_expired_and_a_revoked_token(as_alice: Caller) -> None:
    assert as_alice("POST", LIST).status_code == 200
    for change in (
        {"expires_at": timezone.now() - timedelta(seconds=1)},
        {"revoked_at": timezone.now()},
    ):
        token = ApiToken.objects.get()
        ApiToken.objects.update(**change)
        refused(as_alice("POST", LIST), 401, "UnauthorizedError")
        token.save()


def test_it_stops_at_once_for_a_deactivated_person(as_alice: Caller, alice: User) -> None:
    alice.is_active = False
    alice.save()
    refused(as_alice("POST", LIST), 401, "UnauthorizedError")


@pytest.mark.parametrize(
    ("scope", "method", "path", "allowed"),
    [
        ("read", "POST", LIST, True),
        ("read", "PATCH", "/v1/annotations/ann_a", False),
        ("read", "POST", "/v1/annotations", False),
        ("read", "POST", "/v1/annotations/bulk", False),
        ("read", "POST", "/v1/history/list", True),
        ("decide", "PATCH", "/v1/annotations/ann_a", True),
        ("decide", "PATCH", "/v1/retrievers/ret_a", False),
        ("admin", "PATCH", "/v1/retrievers/ret_a", True),
        ("read", "POST", "/v1/retrievers/ret_a/execute", False),
    ],
)
def test_it_keeps_to_the_scope(
    call: Callable[..., Caller], adam: User, scope: str, method: str, path: str, allowed: bool
) -> None:
    make_annotation(make_retriever(retriever_id="ret_a"), annotation_id="ann_a")
    reply = call(adam, scope)(method, path, {})
    if allowed:
        assert reply.status_code in {200, 400, 422}
    else:
        assert refused(reply, 403, "ForbiddenError")["code"] == "scope"


@pytest.mark.parametrize(
    ("who", "method", "path"),
    [
        ("stranger", "POST", LIST),
        ("stranger", "PATCH", "/v1/annotations/ann_a"),
        ("alice", "POST", "/v1/history/list"),
        ("alice", "POST", "/v1/retrievers/ret_a/execute"),
        ("lena", "PATCH", "/v1/retrievers/ret_a"),
    ],
)
def test_it_keeps_to_the_role_whatever_the_scope(
    call: Callable[..., Caller], request: pytest.FixtureRequest, who: str, method: str, path: str
) -> None:
    reply = call(request.getfixturevalue(who), "admin")(method, path, {})
    assert refused(reply, 403, "ForbiddenError")["code"] == "permission"


def test_it_checks_the_namespace_when_it_is_sent(as_alice: Caller) -> None:
    assert as_alice("POST", LIST, X_Namespace="ns_sample").status_code == 200
    assert as_alice("POST", f"{LIST}?namespace=ns_sample").status_code == 200
    refused(as_alice("POST", LIST, X_Namespace="ns_other"), 404, "NotFoundError")


def test_it_says_405_and_404_in_mixpeeks_shape(as_alice: Caller) -> None:
    reply = as_alice("GET", LIST)
    refused(reply, 405, "MethodNotAllowedError")
    assert "POST" in reply["Allow"]
    refused(as_alice("POST", "/v1/buckets"), 404, "NotFoundError")


def test_it_throttles_each_token_by_itself(
    settings: Settings, as_alice: Caller, as_lena: Caller
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    replies = [as_alice("POST", LIST) for _ in range(6)]
    # A minute may end in between; six requests in two minutes are still too many.
    late = next(reply for reply in replies if reply.status_code == 429)
    refused(late, 429, "TooManyRequestsError")
    assert 1 <= int(late["Retry-After"]) <= 60
    assert as_lena("POST", LIST).status_code == 200


def test_it_notes_the_use_of_a_token_once_a_minute(as_alice: Caller) -> None:
    uses = set()
    for _ in range(4):
        as_alice("POST", LIST)
        uses.add(ApiToken.objects.get().last_used_at)

    assert None not in uses
    # A minute may end in between.
    assert len(uses) <= 2


def test_it_gives_back_the_request_id(as_alice: Caller) -> None:
    assert as_alice("POST", LIST, X_Request_ID="my-own-id-1")["X-Request-ID"] == "my-own-id-1"
