"""Read settings from the environment: typed, and loud when a value is wrong.

Every reader raises `ImproperlyConfigured` with the variable's name, what was wrong with it and a value
that would be right, so that a mistake shows at start and not in the middle of somebody's review.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_ON = {"1", "true", "yes", "on"}
_OFF = {"0", "false", "no", "off"}
# By this status of one of its processes gunicorn knows that starting another would not help.
NEVER_AGAIN = 3


@contextmanager
def or_a_sentence(*, status: int = 1) -> Iterator[None]:
    """End the process with `status` when a setting is wrong; stderr gets the sentence about it, and no traceback."""
    try:
        yield
    except ImproperlyConfigured as error:
        sys.stderr.write(f"This cannot start: {error}\n")
        sys.exit(status)


class Env:
    """Typed readers over a mapping of environment variables; a blank value counts as absent."""

    def __init__(self, variables: Mapping[str, str] = os.environ) -> None:
        self._variables = variables

    def text(self, name: str, default: str = "") -> str:
        """Return the stripped value of `name`, or `default`."""
        return self._variables.get(name, "").strip() or default

    def flag(self, name: str, default: bool) -> bool:
        """Return whether `name` is on; accepts 1/0, true/false, yes/no, on/off in any case."""
        value = self.text(name).lower()
        if value and value not in _ON | _OFF:
            raise _wrong(name, value, "neither on nor off", "on")
        return value in _ON if value else default

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        """Return `name` as an integer between `least` and `most`, both included."""
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise _wrong(name, value, f"not a whole number from {least} to {most}", str(default))
        return int(value)

    def choice(self, name: str, default: str, *others: str) -> str:
        """Return `name`, in the case of the choices, when it is `default` or one of `others`."""
        value = self.text(name, default)
        for one in (default, *others):
            if one.casefold() == value.casefold():
                return one
        raise _wrong(name, value, f"none of {', '.join((default, *others))}", default)

    def words(self, name: str, default: list[str], *, among: Collection[str] = ()) -> list[str]:
        """Return the comma-separated parts of `name`, stripped, blanks left out; only those `among` the ones given."""
        value = self.text(name)
        found = [word.strip() for word in value.split(",") if word.strip()] if value else default
        for word in found:
            if among and word not in among:
                raise _wrong(name, word, f"none of {', '.join(among)}", ",".join(among))
        return found

    def pairs(self, name: str, *, among: Collection[str]) -> dict[str, str]:
        """Return `name` ("one=a, two=b") as `{"one": "a", "two": "b"}`; each value must be `among` those given.

        A key may hold "=" itself (as names in a directory do): the last one counts.
        """
        good = f"our-{next(iter(among))}s={next(iter(among))}"
        found: dict[str, str] = {}
        for word in self.words(name, []):
            key, equals, value = (part.strip() for part in word.rpartition("="))
            if not key or not equals or value not in among:
                raise _wrong(name, word, f"not something=one of {', '.join(among)}", good)
            found[key] = value
        return found

    def url(self, name: str, default: str) -> str:
        """Return `name` as an http(s) URL without a trailing slash."""
        value = self.text(name, default).rstrip("/")
        parts = _split(value)
        if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
            raise _wrong(name, value, "not an http(s) URL", default)
        return value

    def database(self, name: str) -> dict[str, str]:
        """Return Django's connection keys from a `postgresql://` URL; empty when `name` is not set.

        The URL may give the socket's folder as `?host=/run/postgresql`, as libpq allows. Other query
        parameters (`sslmode`, `connect_timeout`, ...) come back under `OPTIONS`-style keys, prefixed `?`.
        """
        value = self.text(name)
        if not value:
            return {}
        good = "postgresql://reviewapp:secret@db.example.com:5432/reviewapp"
        parts = _split(value)
        if parts is None or parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
            # The value may hold a password, so the sentence does not repeat it.
            raise _wrong(name, "…", "not a postgresql:// URL with a database name and a usable port", good)
        query = dict(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
        return {
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(query.pop("host", "")) or parts.hostname or "",
            "PORT": str(parts.port or query.pop("port", "")),
            **{f"?{key}": unquote(option) for key, option in query.items()},
        }


def origin(url: str) -> str:
    """Return scheme, host and port of a URL, as a browser compares them."""
    return "/".join(url.split("/")[:3])


def _split(value: str) -> SplitResult | None:
    """Return the parts of a URL, None when it is malformed or its port is no port."""
    try:
        parts = urlsplit(value)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def _wrong(name: str, value: str, why: str, good: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {value!r}, which is {why}. For example: {name}={good}")
