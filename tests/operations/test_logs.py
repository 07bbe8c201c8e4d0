"""What the log says, and above all what it never does."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoCaptureOnCommitCallbacks

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.accounts.people import invitations
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import set_subject, tracing
from reviewapp.operations import logs
from tests.factories import make_annotation, make_change, settle_as_refused
from tests.operations.processes import environment, running

SECRETS = ["sk_live_never_shown", "p@ss/word"]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What our loggers write as JSON, from DEBUG on."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logs.Json(secrets=SECRETS))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.removeHandler(handler)
    root.setLevel(before)


def lines(written: io.StringIO, logger: str = "") -> list[dict[str, Any]]:
    parsed = [json.loads(line) for line in written.getvalue().splitlines()]
    return [line for line in parsed if line["logger"].startswith(logger)]


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    log_record = logging.getLogger("x").makeRecord(
        "x", logging.INFO, "f.py", 1, message, args, None, extra=extra
    )
    log_record.created = 1_790_000_000.1234
    return log_record


def test_it_writes_one_line_for_a_request(
    client: Client, alice: User, written: io.StringIO
) -> None:
    annotation = make_annotation(ref="annotations/ann_7", annotation_id="ann_7")
    client.force_login(alice)
    client.get(
        f"/annotations/{annotation.pk}?label=hidden", headers={"X-Request-ID": "request-0001"}
    )
    (line,) = lines(written, "reviewapp.access")
    assert isinstance(line.pop("ms"), float)
    assert isinstance(line.pop("time"), str)
    assert line == {
        "level": "INFO",
        "logger": "reviewapp.access",
        "message": "answered",
        "request_id": "request-0001",
        "person": alice.pk,
        "route": "annotations/<int:pk>",
        "ref": "annotations/ann_7",
        "method": "GET",
        "status": 200,
    }


@pytest.mark.django_db
def test_it_writes_a_line_for_a_stranger_and_for_nothing_there(
    client: Client, written: io.StringIO
) -> None:
    client.get("/annotations?next=hidden")
    client.get("/no/such/page")
    first, second = lines(written, "reviewapp.access")
    assert (first["status"], second["status"], second["route"]) == (302, 404, "(none)")
    assert "person" not in first
    assert first["request_id"] != second["request_id"]


def test_it_keeps_quiet_about_probes(client: Client, written: io.StringIO) -> None:
    client.get("/health/live")
    assert [line["level"] for line in lines(written, "reviewapp.access")] == ["DEBUG"]


def test_it_says_neither_values_nor_words_of_a_decision(
    client: Client,
    alice: User,
    written: io.StringIO,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    annotation = make_annotation(title="Title-of-a-document", reasoning="Words-of-a-person")
    change = make_change(annotation, fields={"label": "Label-of-somebody"})
    client.force_login(alice)
    with django_capture_on_commit_callbacks(execute=True):
        settle_as_refused(change, reason="Words-of-upstream")
        client.get(f"/annotations/{annotation.pk}")
        client.post(
            f"/annotations/{annotation.pk}/decide",
            {"reasoning": "Words-of-a-person", "label": "x" * 999},
        )
    outbox = lines(written, "reviewapp.outbox")
    assert [(line["message"], line["ref"]) for line in outbox] == [
        ("change refused", annotation.ref)
    ]
    ours = "".join(map(str, lines(written, "reviewapp")))
    for words in ("Title-of", "Words-of", "Label-of", "xxxx"):
        assert words not in ours


def test_it_names_the_job_of_a_worker(written: io.StringIO) -> None:
    with tracing(Origin.WORKER, "job-12"):
        set_subject("annotations/ann_1")
        logging.getLogger("reviewapp.sync").info("hello")
    logging.getLogger("reviewapp.sync").info("later")
    first, second = lines(written, "reviewapp.sync")
    assert (first["job"], first["ref"]) == ("job-12", "annotations/ann_1")
    assert not {"job", "ref", "request_id"} & second.keys()


@pytest.mark.parametrize("form", [logs.Json, logs.Line])
@pytest.mark.parametrize(
    "text",
    [
        "the key is sk_live_never_shown",
        "postgresql://me:p@ss/word@db/x and postgresql://me:hunter2-sk@db/x".replace(
            "hunter2-sk", "sk_hunter"
        ),
        "GET https://files.example/a.png?X-Amz-Signature=sk_abc&X-Amz-Credential=sk_def",
        "/accounts/login/?code=sk_abc",
        "Authorization: Bearer sk_abcdef",
        "authorization: token sk_abcdef",
        "Basic sk_abcdefgh=",
        "Unprocessable Entity: /join/sk_abcdefgh",
        "Not Found: /new-password/sk_abcdefgh",
        "https://review.example/accounts/password/reset/key/1-sk_abcdefgh/ was mailed",
        "rvw_0123456789sk_abcdef",
    ],
)
def test_it_hides_secrets_and_query_strings(form: type[logs.Json], text: str) -> None:
    line = form(secrets=SECRETS).format(record("%s", text))
    assert "sk_" not in line
    assert "p@ss" not in line
    assert "***" in line or "…" in line


@pytest.mark.parametrize("name", ["join", "new_password", "account_reset_password_from_key"])
def test_it_hides_every_link_that_lets_somebody_in(name: str) -> None:
    arguments = {"secret": "Secret-part"}
    if name.startswith("account"):
        arguments = {"uidb36": "1", "key": "Secret-part"}
    line = logs.Line().format(record("%s", reverse(name, kwargs=arguments)))
    assert "Secret-part" not in line


def test_it_never_writes_a_link_when_it_is_opened(
    adam: User, carol: User, written: io.StringIO
) -> None:
    _, joining = invitations.invite(email="nina@example.com", role=roles.REVIEWER, actor=adam)
    _, password = invitations.new_password_link(carol, actor=adam)

    for address in (f"/join/{joining}", f"/new-password/{password}"):
        assert Client().get(address).status_code == 200
        assert Client().post(address, {}).status_code == 422
        assert Client().get(f"{address}x").status_code == 404

    output = written.getvalue()
    assert "/new-password/***" in output
    assert joining not in output
    assert password not in output


@pytest.mark.process
def test_it_has_no_second_writer_that_cuts_nothing() -> None:
    """Not even with DEBUG on: Django's defaults bring handlers of their own for that."""
    code = (
        "import django, logging; django.setup(); "
        "logging.getLogger('django.request').error('Not Found: /join/Secret-part'); "
        "logging.getLogger('django.server').error('Not Found: /join/Secret-part'); "
        "logging.getLogger('django.db.backends').debug('SELECT Words-of-a-person')"
    )
    env = environment(DEBUG="on", LOG_LEVEL="DEBUG", DJANGO_SETTINGS_MODULE="reviewapp.settings")
    with running(["-c", code], env) as process:
        output = process.communicate(timeout=60)[0]
    assert output.count("/join/***") == 2
    assert "Secret-part" not in output
    assert "Words-of-a-person" not in output


BREAKING = "\r\n\x1b[2J\x85\u2028\u2029\x7f\x9b\u202e\x00\udc80"


@pytest.mark.parametrize("form", [logs.Json, logs.Line])
@pytest.mark.parametrize("logger", ["reviewapp.access", "gunicorn.access", "gunicorn.error", "x"])
def test_it_escapes_what_would_break_a_line(form: type[logging.Formatter], logger: str) -> None:
    log_record = record("GET /a%sb", BREAKING, ref=f"annotations/{BREAKING}")
    log_record.name = logger
    try:
        raise ValueError(f"wrong {BREAKING[2:]}")
    except ValueError:
        log_record.exc_info = sys.exc_info()

    line = form().format(log_record)

    parts = line.split("\n") if form is logs.Line else [line]
    assert not [part for part in parts if set(part) & set(BREAKING) - set("[2J")]
    assert "\\x1b[2J" in line
    assert "\\u2028" in line
    assert len(line.splitlines()) == len(parts)


def test_it_keeps_letters_of_all_languages_readable_in_a_line() -> None:
    assert "Über 日本 😀" in logs.Line().format(record("Über 日本 😀"))


def test_it_lets_no_value_pass_for_other_fields() -> None:
    line = logs.Line().format(record("answered", ref='annotations/a status=200 person=1 "'))
    assert line.endswith(' ref="annotations/a status=200 person=1 \\""')


@pytest.mark.process
def test_it_has_gunicorn_write_through_the_same_formatter() -> None:
    code = (
        "from gunicorn.config import Config; from gunicorn.glogging import Logger; "
        "from reviewapp.operations import gunicorn_conf; chosen = Config(); chosen.set('accesslog', '-'); "
        "chosen.set('logconfig_dict', gunicorn_conf.logconfig_dict); logger = Logger(chosen); "
        "logger.access_log.setLevel('INFO'); "
        "[log.critical('GET /join/Secret-part\\x1b[2J\\r\\u2028') for log in (logger.access_log, logger.error_log)]"
    )
    with running(["-c", code], environment()) as process:
        output = process.communicate(timeout=60)[0]
    assert output.count("GET /join/***") == 2
    assert len(output.splitlines()) == 2
    assert "\x1b" not in output


def test_it_leaves_out_whatever_else_a_library_attaches() -> None:
    line = logs.Json().format(
        record("hello", status=200, task_kwargs={"text": "Words"}, payload="Words")
    )
    assert json.loads(line) == {
        "time": "2026-09-21T14:13:20.123Z",
        "level": "INFO",
        "logger": "x",
        "message": "hello",
        "status": 200,
    }


@pytest.mark.django_db
@pytest.mark.parametrize("form", [logs.Json, logs.Line])
def test_it_tells_an_error_without_the_row_that_met_it(form: type[logs.Json]) -> None:
    failed = record("failed")
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO outbox_pause (id, reason, since) VALUES (2, 'Words-of-a-person', now())"
            )
    except IntegrityError:
        failed.exc_info = sys.exc_info()
    line = form().format(failed)
    assert "Words-of-a-person" not in line
    assert "only_one_pause" in line
    assert "test_logs.py" in line
    assert "psycopg.errors.CheckViolation" in line
    assert "django.db.utils.IntegrityError" in line


@given(st.text(), st.text())
def test_it_writes_one_json_object_whatever_is_said(message: str, ref: str) -> None:
    line = logs.Json(secrets=SECRETS).format(record("%s", message, ref=ref))
    assert "\n" not in line
    assert set(json.loads(line)) <= {"time", "level", "logger", "message", "ref"}


@pytest.mark.parametrize("form", ["json", "line"])
def test_it_makes_a_configuration_that_logging_takes(form: str) -> None:
    configuration = logs.config(form=form, level="INFO", secrets=SECRETS)
    formatter = logging.config.DictConfigurator(configuration).configure_formatter(
        dict(configuration["formatters"]["ours"])
    )
    assert isinstance(formatter, logs.Json if form == "json" else logs.Line)
    assert configuration["loggers"]["procrastinate"]["level"] == "WARNING"
