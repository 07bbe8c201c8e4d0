"""How a log line is written: as a line for people or as one JSON object, always without secrets and people's words.

A line says what was done to which ref, never with which values. What others may have put into a message is cut here:
query strings, bearer tokens, links that let people in, our own secrets, and what PostgreSQL adds below an error's first
line, which holds rows. Control characters are escaped, so one record is one line and drives no terminal.
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

# What a line may carry besides its message, in this order; everything else that a library attaches is left out.
FIELDS = ("route", "method", "status", "ms", "person", "ref", "task", "outcome")
_HIDDEN = "***"
_QUERY = re.compile(r"\?[\w.%~-]+=[^\s\"'<>\\]*")
_BEARER = re.compile(r"(?i)\b(bearer|basic|token)\s+[\w.~+/=-]{6,}")
_IN_URL = re.compile(r"(?<=://)[^/\s@]+:[^/\s@]+@")
# Whoever holds one of these links gets in, and whoever holds such a token acts for its owner.
_LINK = re.compile(r"/(join|new-password|accounts/password/reset/key)/[^\s\"'<>\\]+")
_API_TOKEN = re.compile(r"\brvw_[\w-]{8,}")
_IN_WORKER = {Origin.WORKER, Origin.PULL}
_MOST_FRAMES = 30
_MOST_ERRORS = 5


class _Safe(logging.Formatter):
    """Knows what belongs to a record and what must not be seen of it."""

    def __init__(self, *, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)

    def cleaned(self, text: str) -> str:
        """Return `text` on one line, without secrets and query strings."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        text = _BEARER.sub(rf"\1 {_HIDDEN}", text)
        text = _LINK.sub(rf"/\1/{_HIDDEN}", text)
        text = _API_TOKEN.sub(_HIDDEN, text)
        text = _QUERY.sub("?…", _IN_URL.sub(f"{_HIDDEN}@", text))
        return printable(text)

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return what is known of the record besides its message."""
        now = context.current()
        within = {"job" if now.origin in _IN_WORKER else "request_id": now.request_id, "ref": context.ref()}
        said = {name: getattr(record, name, None) for name in FIELDS}
        found = {**within, **{name: value for name, value in said.items() if value is not None}}
        return {name: value for name, value in found.items() if value not in (None, "")}

    def raised(self, record: logging.LogRecord) -> str:
        """Return the errors of a record: where, which, and the first line of what each says."""
        if not record.exc_info or record.exc_info[1] is None:
            return ""
        told = _told(record.exc_info[1])
        return "\n".join(self.cleaned(line) for line in told)


class Line(_Safe):
    """`time level logger message field=value ...`, errors below."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={_in_line(value)}" for name, value in self.fields(record).items())
        text = f"{_instant(record)} {record.levelname} {record.name} {record.getMessage()}{fields}"
        line = self.cleaned(text)
        raised = self.raised(record)
        return f"{line}\n{raised}" if raised else line


class Json(_Safe):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": _instant(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self.cleaned(record.getMessage()),
        }
        for name, value in self.fields(record).items():
            said[name] = self.cleaned(value) if isinstance(value, str) else value
        if raised := self.raised(record):
            said["error"] = raised
        return json.dumps(said, ensure_ascii=False, default=str)


def configured(env: Env, *, secrets: Iterable[str]) -> dict[str, Any]:
    """Return the configuration that LOG_FORMAT and LOG_LEVEL ask for."""
    form = env.choice("LOG_FORMAT", "line", "json")
    level = env.choice("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR")
    return config(form=form, level=level, secrets=secrets)


def config(*, form: str, level: str, secrets: Iterable[str]) -> dict[str, Any]:
    """Return a configuration for `logging.config.dictConfig`: everything to standard error, as `line` or `json`."""
    quiet = {"level": "WARNING"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": {"()": Json if form == "json" else Line, "secrets": list(secrets)}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "ours"}},
        "loggers": {
            # procrastinate says every step of every job at INFO, with its arguments; we say each job's end ourselves.
            "procrastinate": quiet,
            # Without handlers of their own: Django's defaults would write addresses and errors uncut. And never at
            # DEBUG, where statements come with their values.
            "django": {"level": "INFO", "handlers": []},
            "django.server": {"level": "INFO", "handlers": [], "propagate": True},
        },
        "root": {"handlers": ["console"], "level": level},
    }


def _instant(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _in_line(value: object) -> str:
    """Return a field's value as one word, quoted where it could pass for more fields."""
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[\s"=]', text) else text


def _told(error: BaseException, more: int = _MOST_ERRORS) -> list[str]:
    """Return an error below those that led to it: no values of variables, and only the first line of what each says."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    said = str(error).strip().splitlines()[:1]
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    frames = traceback.extract_tb(error.__traceback__, limit=-_MOST_FRAMES)
    return [
        *(_told(before, more - 1) if before and more else []),
        f"{name}: {said[0]}" if said else name,
        *(f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames),
    ]
