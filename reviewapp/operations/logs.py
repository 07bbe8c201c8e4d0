"""Format log records: as a line for people or as a JSON object, without secrets and input.

A record says what was done to which ref, never with which values. Removed are query strings, bearer
tokens, sign-in links, our own secrets, and what PostgreSQL adds below an error's first line, which
holds rows. Control characters are escaped, so one record is one line and cannot control a terminal.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from reviewapp.audit import context
from reviewapp.audit.actions import Origin
from reviewapp.env import Env
from reviewapp.printable import printable

# The fields of a record besides its message, in this order; all others that libraries attach are
# left out.
LOG_FIELDS = ("route", "method", "status", "ms", "person", "ref", "task", "outcome")
_HIDDEN = "***"
_QUERY = re.compile(r"\?[\w.%~-]+=[^\s\"'<>\\]*")
_BEARER = re.compile(r"(?i)\b(bearer|basic|token)\s+[\w.~+/=-]{6,}")
_IN_URL = re.compile(r"(?<=://)[^/\s@]+:[^/\s@]+@")
# Such a link signs a person in, and such a token acts for its owner.
_LINK = re.compile(r"/(join|new-password|accounts/password/reset/key)/[^\s\"'<>\\]+")
_API_TOKEN = re.compile(r"\brvw_[\w-]{8,}")
_IN_WORKER = {Origin.WORKER, Origin.PULL}
_MAX_FRAMES = 30
_MAX_ERRORS = 5


class _SafeFormatter(logging.Formatter):
    """Collects the fields of a record and removes its secrets."""

    def __init__(self, *, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        long_enough = {secret for secret in secrets if len(secret) >= 4}
        self._secrets = sorted(long_enough, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """Return `text` on one line, without secrets and query strings."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        text = _BEARER.sub(rf"\1 {_HIDDEN}", text)
        text = _LINK.sub(rf"/\1/{_HIDDEN}", text)
        text = _API_TOKEN.sub(_HIDDEN, text)
        text = _IN_URL.sub(f"{_HIDDEN}@", text)
        text = _QUERY.sub("?…", text)
        return printable(text)

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return the fields of a record: those of the context, then its own."""
        current = context.current_trace()
        id_name = "request_id"
        if current.origin in _IN_WORKER:
            id_name = "job"
        fields: dict[str, Any] = {id_name: current.request_id, "ref": context.subject_ref()}
        for name in LOG_FIELDS:
            value = getattr(record, name, None)
            if value is not None:
                fields[name] = value
        return {name: value for name, value in fields.items() if value not in (None, "")}

    def errors(self, record: logging.LogRecord) -> str:
        """Return the traceback of a record, with the first line of each error's message."""
        if not record.exc_info or record.exc_info[1] is None:
            return ""
        lines = _format_error(record.exc_info[1])
        return "\n".join(map(self.clean, lines))


class Line(_SafeFormatter):
    """`time level logger message field=value ...`, errors below."""

    def format(self, record: logging.LogRecord) -> str:
        fields = ""
        for name, value in self.fields(record).items():
            text = str(value)
            # Quoted where it could pass for more fields.
            if re.search(r'[\s"=]', text):
                text = json.dumps(text, ensure_ascii=False)
            fields += f" {name}={text}"
        time = _timestamp(record)
        line = self.clean(f"{time} {record.levelname} {record.name} {record.getMessage()}{fields}")

        errors = self.errors(record)
        if errors:
            return f"{line}\n{errors}"
        return line


class Json(_SafeFormatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        content: dict[str, Any] = {
            "time": _timestamp(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self.clean(record.getMessage()),
        }
        for name, value in self.fields(record).items():
            content[name] = value
            if isinstance(value, str):
                content[name] = self.clean(value)

        errors = self.errors(record)
        if errors:
            content["error"] = errors
        return json.dumps(content, ensure_ascii=False, default=str)


def configured(env: Env, *, secrets: Iterable[str]) -> dict[str, Any]:
    """Return the logging configuration of LOG_FORMAT and LOG_LEVEL."""
    form = env.choice("LOG_FORMAT", "line", "json")
    level = env.choice("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR")
    return config(form=form, level=level, secrets=secrets)


def config(*, form: str, level: str, secrets: Iterable[str]) -> dict[str, Any]:
    """Return a configuration for `logging.config.dictConfig`.

    Everything goes to standard error, as `line` or `json`.
    """
    formatter: type[_SafeFormatter] = Line
    if form == "json":
        formatter = Json
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": {"()": formatter, "secrets": list(secrets)}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "ours"}},
        "loggers": {
            # procrastinate logs every step of a job at INFO, with its arguments; we log the end.
            "procrastinate": {"level": "WARNING"},
            # No handlers of their own: Django's defaults would log URLs and errors in full. And
            # never at DEBUG, which logs statements with their values.
            "django": {"level": "INFO", "handlers": []},
            "django.server": {"level": "INFO", "handlers": [], "propagate": True},
        },
        "root": {"handlers": ["console"], "level": level},
    }


def _timestamp(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _format_error(error: BaseException, max_causes: int = _MAX_ERRORS) -> list[str]:
    """Return the lines of an error below its causes.

    Only the first line of each message is kept, and no values of variables.
    """
    cause = error.__cause__
    if cause is None and not error.__suppress_context__:
        cause = error.__context__

    lines = []
    if cause and max_causes:
        lines += _format_error(cause, max_causes - 1)

    heading = f"{type(error).__module__}.{type(error).__qualname__}"
    message_lines = str(error).strip().splitlines()
    if message_lines:
        heading += f": {message_lines[0]}"
    lines.append(heading)

    for frame in traceback.extract_tb(error.__traceback__, limit=-_MAX_FRAMES):
        lines.append(f"  {frame.filename}:{frame.lineno} in {frame.name}")
    return lines
