"""`manage.py check --deploy` accepts the documented deployment and names what cannot work."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pytest_django import Settings

from reviewapp.operations.checks import check_media
from tests.operations.processes import ROOT

pytestmark = pytest.mark.process

DEPLOYED = {
    "DATABASE_URL": "postgresql://reviewapp:secret@db.invalid:5432/reviewapp",
    "SECRET_KEY": "0123456789abcdef" * 4,
    "ALLOWED_HOSTS": "review.example.com",
    "CSRF_TRUSTED_ORIGINS": "https://review.example.com",
    "BEHIND_PROXY": "on",
    "MIXPEEK_API_KEY": "sk_live_0123456789",
    "MIXPEEK_NAMESPACE": "ns_1a2b3c",
    "METRICS_TOKEN": "0123456789abcdef" * 2,
    "LOG_FORMAT": "json",
}


def check(**variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    env = {name: value for name, value in {**DEPLOYED, **variables}.items() if value}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_it_has_nothing_to_say_about_a_deployment() -> None:
    done = check()
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("pattern", "is_open"),
    [
        ("https://*.amazonaws.com", True),
        ("https://*.s3.eu-central-1.amazonaws.com:*", True),
        ("https://*", True),
        ("*", True),
        ("https://s3.eu-central-1.amazonaws.com", True),
        ("https://storage.googleapis.com/", True),
        ("https://s3.eu-central-1.amazonaws.com/ours/", False),
        ("https://ours.s3.eu-central-1.amazonaws.com", False),
        ("https://*.mixpeek.com", False),
        ("https://*.files.example.com", False),
    ],
)
def test_it_names_media_hosts_where_anybody_can_put_files(
    settings: Settings, pattern: str, is_open: bool
) -> None:
    settings.MEDIA_HOSTS = ["https://files.example.com", pattern]
    assert [message.id for message in check_media()] == (["reviewapp.W011"] if is_open else [])


def test_it_names_all_that_cannot_work() -> None:
    done = check(METRICS_TOKEN="short", ALLOWED_HOSTS="", MIXPEEK_NAMESPACE="")
    assert done.returncode == 1
    for known_as in ("reviewapp.E010", "reviewapp.W010", "reviewapp.E001"):
        assert known_as in done.stderr
    assert done.stderr.count("HINT: ") == 3
