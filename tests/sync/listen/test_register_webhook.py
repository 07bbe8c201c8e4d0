"""`manage.py setup_webhook` registers once, updates, and prints the secret once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db
URL = "https://review.example.com/webhooks/mixpeek"


@pytest.fixture
def registered(box: Box, settings: Settings) -> Iterator[Box]:
    settings.MIXPEEK_BASE_URL, settings.MIXPEEK_API_KEY = box.url, box.key
    settings.MIXPEEK_NAMESPACE, settings.MIXPEEK_WEBHOOK_SECRET = box.namespace, ""
    yield box
    for webhook in list_webhooks(box):
        box.call("DELETE", f"/v1/organizations/webhooks/{webhook['webhook_id']}")


def list_webhooks(box: Box) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = box.call(
        "POST", "/v1/organizations/webhooks/list", json={}
    ).json()["results"]
    return rows


def setup(*words: str) -> str:
    out = StringIO()
    call_command("setup_webhook", *words, stdout=out)
    return out.getvalue()


def test_it_registers_with_a_fresh_secret(
    registered: Box, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        output = setup(URL)
    secret = output.split("MIXPEEK_WEBHOOK_SECRET=")[1].strip()
    assert len(secret) == 64
    assert secret not in caplog.text
    [webhook] = list_webhooks(registered)
    assert webhook["webhook_name"] == "reviewapp"
    assert webhook["event_types"] == [
        "annotation.created",
        "annotation.updated",
        "annotation.deleted",
    ]
    [channel] = webhook["channels"]
    assert (channel["configs"]["url"], channel["configs"]["signing_secret"]) == (URL, "redacted")
    [sent] = registered.received(method="POST", path="/v1/organizations/webhooks")[1:2]
    assert sent["body"]["channels"][0]["configs"]["signing_secret"] == secret
    assert sent["namespace"] is None


def test_it_updates_the_one_there_is(registered: Box, settings: Settings) -> None:
    settings.MIXPEEK_WEBHOOK_SECRET = "a secret of the test"
    first = setup("https://old.example.com/webhooks/mixpeek")
    again = setup(URL)
    assert ("Registered" in first, "Updated" in again) == (True, True)
    assert "a secret of the test" not in first + again
    [webhook] = list_webhooks(registered)
    assert webhook["channels"][0]["configs"]["url"] == URL


def test_it_leaves_other_installations_alone(registered: Box) -> None:
    setup(URL)
    setup("https://staging.example.com/webhooks/mixpeek", "--name", "staging")
    assert [webhook["webhook_name"] for webhook in list_webhooks(registered)] == [
        "reviewapp",
        "staging",
    ]


def test_it_sends_the_secret_itself_where_that_is_the_way(
    registered: Box, settings: Settings
) -> None:
    settings.MIXPEEK_WEBHOOK_SECRET, settings.MIXPEEK_WEBHOOK_STATIC = "a secret of the test", True
    setup(URL)
    assert list_webhooks(registered)[0]["channels"][0]["configs"]["headers"] == {
        "X-Mixpeek-Secret": "a secret of the test"
    }


@pytest.mark.parametrize(
    "url", ["http://review.example.com/x", "ftp://x", "nonsense", "https://", "https://[", ""]
)
def test_it_refuses_an_address_that_cannot_be(registered: Box, url: str) -> None:
    with pytest.raises(CommandError, match="https"):
        setup(url)
    assert not registered.received(path="/v1/organizations")


def test_it_says_what_mixpeek_said(registered: Box) -> None:
    registered.faults([{"path": "/v1/organizations", "status": 403}])
    with pytest.raises(CommandError):
        setup(URL)
