"""`manage.py check --deploy`: silent about a deployment as documented, loud about one that cannot work."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.operations.processes import ROOT

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
    ("variables", "known_as"),
    [
        ({"METRICS_TOKEN": "short"}, "reviewapp.E010"),
        ({"ALLOWED_HOSTS": ""}, "reviewapp.W010"),
        ({"MIXPEEK_NAMESPACE": ""}, "reviewapp.E001"),
    ],
)
def test_it_names_what_cannot_work(variables: dict[str, str], known_as: str) -> None:
    done = check(**variables)
    assert done.returncode == 1
    assert known_as in done.stderr
    assert "HINT" in done.stderr


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT is 'xml', which is none of line, json"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is 'loud', which is none of INFO, DEBUG"),
        ({"READY_MAX_CHANGE_AGE": "1"}, "READY_MAX_CHANGE_AGE is '1'"),
        ({"WORKER_METRICS_PORT": "http"}, "WORKER_METRICS_PORT is 'http'"),
    ],
)
def test_it_stops_at_a_wrong_setting(variables: dict[str, str], sentence: str) -> None:
    done = check(**variables)
    assert done.returncode != 0
    assert sentence in done.stderr.splitlines()[-1]
