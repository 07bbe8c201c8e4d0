"""Settings as a process sees them at start: safe for a deployment, plain on a laptop, loud when wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOYED = {"DATABASE_URL": "postgresql://u:hunter2@db.example/reviewapp", "SECRET_KEY": "x" * 64}
_TELL = """
import json
from reviewapp import settings
print(json.dumps({name: getattr(settings, name, None) for name in %r}))
"""


def start(environment: dict[str, str], tmp_path: Path, *names: str) -> subprocess.CompletedProcess[str]:
    variables = {"VAR_DIR": str(tmp_path), "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, "-c", _TELL % (names,)], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )


def settings_of(environment: dict[str, str], tmp_path: Path, *names: str) -> dict[str, Any]:
    told = start(environment, tmp_path, *names)
    assert told.returncode == 0, told.stderr
    settings: dict[str, Any] = json.loads(told.stdout)
    return settings


COOKIES = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS")


def test_it_is_safe_when_deployed_without_a_word_about_it(tmp_path: Path) -> None:
    told = settings_of(DEPLOYED, tmp_path, *COOKIES, "DEBUG", "SECURE_PROXY_SSL_HEADER", "ALLAUTH_TRUSTED_PROXY_COUNT")

    assert told["DEBUG"] is False
    assert all(told[name] is True for name in COOKIES[:3])
    assert told["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert told["SECURE_PROXY_SSL_HEADER"] is None
    assert told["ALLAUTH_TRUSTED_PROXY_COUNT"] is None


def test_it_speaks_plain_http_when_told_so(tmp_path: Path) -> None:
    told = settings_of({**DEPLOYED, "HTTPS": "off"}, tmp_path, *COOKIES)

    assert not any(told.values())


def test_it_believes_a_proxy_only_when_told_so(tmp_path: Path) -> None:
    told = settings_of(
        {**DEPLOYED, "BEHIND_PROXY": "on"}, tmp_path, "SECURE_PROXY_SSL_HEADER", "ALLAUTH_TRUSTED_PROXY_COUNT"
    )

    assert told == {
        "SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"],
        "ALLAUTH_TRUSTED_PROXY_COUNT": 1,
    }


def test_it_makes_its_own_secret_on_a_laptop(tmp_path: Path) -> None:
    first = settings_of({}, tmp_path, "SECRET_KEY")

    assert len(first["SECRET_KEY"]) == 64
    assert settings_of({}, tmp_path, "SECRET_KEY") == first


def test_it_answers_only_to_its_own_names(tmp_path: Path) -> None:
    assert settings_of({}, tmp_path, "ALLOWED_HOSTS")["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert settings_of({"ALLOWED_HOSTS": "a.example, b.example"}, tmp_path, "ALLOWED_HOSTS")["ALLOWED_HOSTS"] == [
        "a.example",
        "b.example",
    ]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"DATABASE_URL": DEPLOYED["DATABASE_URL"]}, "SECRET_KEY is needed beside DATABASE_URL. For example: SECRET_"),
        ({"DATABASE_URL": "mysql://u:hunter2@db/x", "SECRET_KEY": "x"}, "For example: DATABASE_URL=postgresql://"),
        ({"DEBUG": "maybe"}, "DEBUG is 'maybe', which is neither on nor off. For example: DEBUG=on"),
        ({"HTTPS": "2"}, "HTTPS is '2'"),
        ({"BEHIND_PROXY": "nginx"}, "BEHIND_PROXY is 'nginx'"),
        ({"MIXPEEK_BASE_URL": "api.mixpeek.com"}, "For example: MIXPEEK_BASE_URL=https://api.mixpeek.com"),
        ({"PULL_MINUTES": "0"}, "PULL_MINUTES is '0', which is not a whole number from 1 to"),
    ],
)
def test_it_stops_at_start_with_a_sentence_that_names_the_variable(
    tmp_path: Path, environment: dict[str, str], sentence: str
) -> None:
    told = start(environment, tmp_path)

    assert told.returncode != 0
    assert sentence in told.stderr.splitlines()[-1]
    assert "hunter2" not in told.stderr
