"""The OpenAPI document is committed, served, readable and true."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok

from reviewapp.accounts.models import User
from reviewapp.api.openapi.document import openapi_document
from reviewapp.api.views.openapi import render_document
from tests.api.conftest import Caller
from tests.factories import make_annotation, make_retriever
from tests.people import make_person
from tests.proofs import examples

COMMITTED = Path(__file__).resolve().parents[3] / "docs" / "openapi.yaml"
SCHEMA = schemathesis.openapi.from_dict(json.loads(render_document("json")))
OPERATIONS = {
    result.ok().label: result.ok()
    for result in SCHEMA.get_all_operations()
    if isinstance(result, Ok)
}


def test_it_is_committed_as_it_is() -> None:
    assert COMMITTED.read_bytes() == render_document("yaml"), (
        "run: manage.py spectacular --file docs/openapi.yaml"
    )


def test_it_describes_every_call() -> None:
    operations = [
        operation
        for methods in openapi_document()["paths"].values()
        for operation in methods.values()
    ]
    assert {operation["operationId"] for operation in operations} == {
        "list_annotations",
        "create_annotation",
        "get_annotation",
        "patch_annotation",
        "get_annotation_versions",
        "get_annotation_at_version",
        "bulk_annotations",
        "annotation_stats",
        "list_retrievers",
        "get_retrievers",
        "get_retriever",
        "patch_retriever",
        "execute_retriever",
        "list_executions",
        "get_executions",
        "get_execution",
        "list_history",
        "get_figure",
        "get_change",
        "withdraw_change",
    }


@pytest.mark.django_db
@pytest.mark.parametrize(("form", "start"), [("json", b"{"), ("yaml", b"openapi:")])
def test_it_is_served_to_tokens_and_to_signed_in_browsers(
    client: Client, as_alice: Caller, alice: User, form: str, start: bytes
) -> None:
    path = f"/v1/openapi.{form}"
    assert client.get(f"/api{path}").status_code == 401
    assert as_alice("GET", path).content.startswith(start)
    client.force_login(alice)
    assert client.get(f"/api{path}").content == render_document(form)
    assert client.get("/api/v1/openapi.xml").status_code == 404


@pytest.mark.django_db
def test_it_can_be_read_under_our_policy(client: Client, alice: User) -> None:
    client.force_login(alice)
    reply = client.get("/api/docs")
    page = reply.content.decode()
    assert reply.status_code == 200
    assert "unsafe" not in reply["Content-Security-Policy"]
    assert "style=" not in page
    assert re.findall(r"<script(?![^>]* src=)", page) == []

    script = client.get("/api/docs?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert "v1/openapi.json" in script.content.decode()
    assert client.get("/api/v1/openapi.json").status_code == 200


@pytest.mark.django_db
def test_it_is_read_by_people_with_a_role(client: Client, alice: User) -> None:
    for path in ("/api/docs", "/api/docs?script="):
        assert client.get(path).status_code == 302

    client.force_login(make_person("norma"))
    for path in ("/api/docs", "/api/docs?script="):
        assert client.get(path).status_code == 403

    client.force_login(alice)
    assert client.get("/api/docs", headers={"Accept": "application/json"}).status_code == 406
    assert client.post("/api/docs").status_code == 405
    assert client.options("/api/docs").status_code == 405
    assert client.head("/api/docs").status_code == 200


@pytest.fixture
def application(db: None) -> Iterator[WSGIHandler]:
    """Return the WSGI application, without its closing of the test's connection."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield get_wsgi_application()
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.slow
@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_it_never_fails_whatever_is_sent(
    label: str, application: WSGIHandler, secret_of: Callable[..., str], adam: User
) -> None:
    needs = {"query": {"type": "document_reference", "required": True}}
    make_annotation(make_retriever("vans", retriever_id="0", input_schema=needs), annotation_id="0")
    operation = OPERATIONS[label]
    SCHEMA.app = application
    headers = {"Authorization": f"Bearer {secret_of(adam)}"}
    modes = schemathesis.GenerationMode
    cases = operation.as_strategy(generation_mode=modes.POSITIVE) | operation.as_strategy(
        generation_mode=modes.NEGATIVE
    )

    @settings(
        max_examples=examples(8, 100),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, data=st.data())
    def send(case: Any, data: Any) -> None:
        if case.path_parameters and data.draw(st.booleans()):
            case.path_parameters = dict.fromkeys(case.path_parameters, "0")
        case.call_and_validate(app=application, headers=headers, checks=[not_a_server_error])

    send()
