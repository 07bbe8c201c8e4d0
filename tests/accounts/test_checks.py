"""What `manage.py check` says about Mixpeek's settings."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from pytest_django import Settings


@pytest.mark.parametrize(
    ("key", "namespace", "debug", "ids"),
    [
        ("sk_x", "ns_x", False, []),
        ("sk_x", "", False, ["reviewapp.E001"]),
        ("sk_x", "", True, ["reviewapp.E001"]),
        ("", "", False, ["reviewapp.W001"]),
        ("", "", True, []),
    ],
)
def test_it_reports_settings_that_cannot_work(
    settings: Settings, key: str, namespace: str, debug: bool, ids: list[str]
) -> None:
    settings.MIXPEEK_API_KEY, settings.MIXPEEK_NAMESPACE, settings.DEBUG = key, namespace, debug

    messages = [message for message in run_checks() if str(message.id).startswith("reviewapp.")]

    assert [message.id for message in messages] == ids
    assert all(message.hint and "MIXPEEK_NAMESPACE" in message.hint for message in messages)
    assert not any("sk_x" in f"{message.msg}{message.hint}" for message in messages)
