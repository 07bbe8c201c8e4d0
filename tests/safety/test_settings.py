"""Settings as a process reads them at start: safe in a deployment, plain on a laptop.

How a process ends whose settings are wrong is tested in `tests/test_wrong_settings.py`.
"""

from __future__ import annotations

import os
import runpy
import traceback
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]
DEPLOYED = {"DATABASE_URL": "postgresql://u:hunter2@db.example/reviewapp", "SECRET_KEY": "x" * 64}


def settings_of(environment: dict[str, str], tmp_path: Path, *names: str) -> dict[str, Any]:
    """Read the settings anew with nothing but this environment, and return those with these names."""
    variables = {"VAR_DIR": str(tmp_path), **environment}
    with mock.patch.dict(os.environ, variables, clear=True):
        settings = runpy.run_path(str(ROOT / "reviewapp" / "settings.py"))
    return {name: settings.get(name) for name in names}


COOKIES = (
    "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE",
    "SECURE_SSL_REDIRECT",
    "SECURE_HSTS_SECONDS",
)


def test_it_is_safe_when_deployed_without_a_word_about_it(tmp_path: Path) -> None:
    values = settings_of(
        DEPLOYED,
        tmp_path,
        *COOKIES,
        "DEBUG",
        "SECURE_PROXY_SSL_HEADER",
        "ALLAUTH_TRUSTED_PROXY_COUNT",
    )

    assert values["DEBUG"] is False
    assert all(values[name] is True for name in COOKIES[:3])
    assert values["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert values["SECURE_PROXY_SSL_HEADER"] is None
    assert values["ALLAUTH_TRUSTED_PROXY_COUNT"] is None


def test_it_speaks_plain_http_on_a_bare_clone(tmp_path: Path) -> None:
    values = settings_of({}, tmp_path, *COOKIES, "DEBUG", "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN")

    assert not any(values[name] for name in (*COOKIES, "DEBUG"))
    assert values["MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN"] is True


@pytest.mark.parametrize("word", [{"SECRET_KEY": "x" * 64}, {"HTTPS": "on"}, DEPLOYED])
def test_it_speaks_https_where_anything_says_that_it_is_deployed(
    tmp_path: Path, word: dict[str, str]
) -> None:
    values = settings_of(word, tmp_path, *COOKIES, "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN")

    assert all(values[name] for name in COOKIES)
    assert values["MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN"] is False


OIDC = {
    "OIDC_SERVER_URL": "https://id.example/realms/us",
    "OIDC_CLIENT_ID": "reviewapp",
    "OIDC_CLIENT_SECRET": "hunter2",
    "OIDC_ROLES": "writers=reviewer,it=admin",
}


def test_it_sets_single_sign_on_up_from_the_environment(tmp_path: Path) -> None:
    values = settings_of(
        {**OIDC, "OIDC_ROLES": "cn=writers=reviewer, it = admin"},
        tmp_path,
        "OIDC_ROLES",
        "SOCIALACCOUNT_PROVIDERS",
        "CONTENT_SECURITY_POLICY",
    )

    (app,) = values["SOCIALACCOUNT_PROVIDERS"]["openid_connect"]["APPS"]
    assert (app["client_id"], app["settings"]["server_url"]) == (
        "reviewapp",
        "https://id.example/realms/us",
    )
    assert values["OIDC_ROLES"] == {"cn=writers": "reviewer", "it": "admin"}
    assert values["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["form-action"] == [
        "'self'",
        "https://id.example",
    ]


def test_it_mails_through_the_server_that_is_named(tmp_path: Path) -> None:
    names = (
        "EMAIL_BACKEND",
        "EMAIL_HOST",
        "EMAIL_PORT",
        "EMAIL_USE_TLS",
        "DEFAULT_FROM_EMAIL",
        "EMAIL_TIMEOUT",
    )
    values = settings_of(
        {"EMAIL_HOST": "mail.example", "EMAIL_FROM": "us@example.com"}, tmp_path, *names
    )

    assert list(values.values()) == [
        "django.core.mail.backends.smtp.EmailBackend",
        "mail.example",
        587,
        True,
        "us@example.com",
        10,
    ]
    assert "dummy" in settings_of({}, tmp_path, "EMAIL_BACKEND")["EMAIL_BACKEND"]


def test_it_speaks_plain_http_when_told_so(tmp_path: Path) -> None:
    values = settings_of({**DEPLOYED, "HTTPS": "off"}, tmp_path, *COOKIES)

    assert not any(values.values())


def test_it_believes_a_proxy_only_when_told_so(tmp_path: Path) -> None:
    values = settings_of(
        {**DEPLOYED, "BEHIND_PROXY": "on"},
        tmp_path,
        "SECURE_PROXY_SSL_HEADER",
        "ALLAUTH_TRUSTED_PROXY_COUNT",
    )

    assert values == {
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
        "ALLAUTH_TRUSTED_PROXY_COUNT": 1,
    }


def test_it_makes_its_own_secret_on_a_laptop(tmp_path: Path) -> None:
    first = settings_of({}, tmp_path, "SECRET_KEY")

    assert len(first["SECRET_KEY"]) == 64
    assert settings_of({}, tmp_path, "SECRET_KEY") == first


def test_it_answers_only_to_its_own_names(tmp_path: Path) -> None:
    assert settings_of({}, tmp_path, "ALLOWED_HOSTS")["ALLOWED_HOSTS"] == [
        "localhost",
        "127.0.0.1",
        "[::1]",
    ]
    assert settings_of({"ALLOWED_HOSTS": "a.example, b.example"}, tmp_path, "ALLOWED_HOSTS")[
        "ALLOWED_HOSTS"
    ] == [
        "a.example",
        "b.example",
    ]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"DATABASE_URL": DEPLOYED["DATABASE_URL"]},
            "SECRET_KEY is required with DATABASE_URL. For example: SECRET_",
        ),
        (
            {"DATABASE_URL": "mysql://u:hunter2@db/x", "SECRET_KEY": "x"},
            "For example: DATABASE_URL=postgresql://",
        ),
        (
            {"DEBUG": "maybe"},
            "DEBUG is 'maybe', which is neither on nor off. For example: DEBUG=on",
        ),
        ({"HTTPS": "2"}, "HTTPS is '2'"),
        ({"BEHIND_PROXY": "nginx"}, "BEHIND_PROXY is 'nginx'"),
        (
            {"MIXPEEK_BASE_URL": "api.mixpeek.com"},
            "For example: MIXPEEK_BASE_URL=https://api.mixpeek.com",
        ),
        (
            {"SECOND_FACTOR_ROLES": "lead,boss"},
            "SECOND_FACTOR_ROLES is 'boss', which is none of reviewer, lead, admin",
        ),
        ({**OIDC, "OIDC_ROLES": ""}, "OIDC_ROLES is required with OIDC_SERVER_URL"),
        ({**OIDC, "OIDC_CLIENT_SECRET": ""}, "OIDC_CLIENT_SECRET is required with OIDC_SERVER_URL"),
        (
            {**OIDC, "OIDC_ROLES": "writers"},
            "OIDC_ROLES is 'writers', which is not something=one of reviewer, lead",
        ),
        ({**OIDC, "OIDC_ROLES": "writers=boss"}, "OIDC_ROLES is 'writers=boss'"),
        (
            {**OIDC, "OIDC_SERVER_URL": "id.example"},
            "OIDC_SERVER_URL is 'id.example', which is not an http(s) URL",
        ),
        ({"SESSION_DAYS": "0"}, "SESSION_DAYS is '0'"),
        ({"EMAIL_PORT": "smtp"}, "EMAIL_PORT is 'smtp'"),
        (
            {"LOG_FORMAT": "xml"},
            "LOG_FORMAT is 'xml', which is none of line, json. For example: LOG_FORMAT=line",
        ),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is 'loud', which is none of INFO, DEBUG"),
        ({"READY_MAX_CHANGE_AGE": "1"}, "READY_MAX_CHANGE_AGE is '1'"),
        ({"WORKER_METRICS_PORT": "http"}, "WORKER_METRICS_PORT is 'http'"),
        ({"PULL_MINUTES": "0"}, "PULL_MINUTES is '0', which is not a whole number from 1 to"),
    ],
)
def test_it_stops_at_start_with_a_sentence_that_names_the_variable(
    tmp_path: Path, environment: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        settings_of(environment, tmp_path)

    assert sentence in str(refusal.value)
    assert "hunter2" not in "".join(traceback.format_exception(refusal.value))
