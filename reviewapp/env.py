"""Read typed settings from the environment.

Every reader raises `ImproperlyConfigured` with the variable's name, its error and an example of a
good value, so that a mistake shows at start and not in the middle of somebody's review.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_ON = {"1", "true", "yes", "on"}
_OFF = {"0", "false", "no", "off"}
# If a worker exits with this status, gunicorn does not start another.
NEVER_AGAIN = 3


@contextmanager
def or_a_sentence(*, status: int = 1) -> Iterator[None]:
    """Exit with `status` when a setting is wrong, with a message and no traceback on stderr."""
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
            raise _invalid(name, value, "neither on nor off", "on")
        if not value:
            return default
        return value in _ON

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        """Return `name` as an integer between `least` and `most`, both included."""
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise _invalid(name, value, f"not a whole number from {least} to {most}", str(default))
        return int(value)

    def choice(self, name: str, default: str, *others: str) -> str:
        """Return `name`, in the case of the choices, when it is `default` or one of `others`."""
        value = self.text(name, default)
        choices = (default, *others)
        for choice in choices:
            if choice.casefold() == value.casefold():
                return choice
        raise _invalid(name, value, f"none of {', '.join(choices)}", default)

    def words(self, name: str, default: list[str], *, among: Collection[str] = ()) -> list[str]:
        """Return the comma-separated parts of `name`, stripped, without blanks.

        Each must be one of `among`, if that is not empty.
        """
        value = self.text(name)
        words = default
        if value:
            words = [word.strip() for word in value.split(",") if word.strip()]
        if not among:
            return words

        for word in words:
            if word not in among:
                raise _invalid(name, word, f"none of {', '.join(among)}", ",".join(among))
        return words

    def pairs(self, name: str, *, among: Collection[str]) -> dict[str, str]:
        """Return `name` ("one=a, two=b") as `{"one": "a", "two": "b"}`.

        Each value must be one of `among`. A key may contain "=" (as names in a directory do): the
        last one separates.
        """
        first = next(iter(among))
        example = f"our-{first}s={first}"
        pairs: dict[str, str] = {}
        for word in self.words(name, []):
            key, equals, value = map(str.strip, word.rpartition("="))
            if not key or not equals or value not in among:
                raise _invalid(name, word, f"not something=one of {', '.join(among)}", example)
            pairs[key] = value
        return pairs

    def url(self, name: str, default: str) -> str:
        """Return `name` as an http(s) URL without a trailing slash."""
        value = self.text(name, default).rstrip("/")
        parts = _split(value)
        if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
            raise _invalid(name, value, "not an http(s) URL", default)
        return value

    def word(self, name: str, default: str) -> str:
        """Return `name`: 1 to 32 ASCII letters, digits, `-` and `_`."""
        value = self.text(name, default)
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", value):
            raise _invalid(name, value, "not 1 to 32 letters, digits, - and _", "staging")
        return value

    def host(self, name: str) -> str:
        """Return `name` as an IP address, without brackets, or as a host name; "" if not set."""
        value = self.text(name)
        bare = value.removeprefix("[").removesuffix("]")
        try:
            return str(ip_address(bare))
        except ValueError:
            pass
        if value and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", value):
            raise _invalid(name, value, "neither an IP address nor a host name", "127.0.0.1")
        return value

    def path(self, name: str) -> str:
        """Return `name` as a URL path such as `/tools/review`, without a trailing slash, or ""."""
        value = self.text(name).rstrip("/")
        if value and not re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", value):
            raise _invalid(name, value, "not a path that starts with a slash", "/review")
        return value

    def database(self, name: str) -> dict[str, str]:
        """Return Django's connection keys from a `postgresql://` URL; empty when `name` is not set.

        The URL may give the socket's folder as `?host=/run/postgresql`, as libpq allows. Other
        query parameters (`sslmode`, `connect_timeout`, ...) come back under `OPTIONS`-style keys,
        prefixed `?`.
        """
        value = self.text(name)
        if not value:
            return {}

        parts = _split(value)
        is_postgres = parts is not None and parts.scheme in {"postgres", "postgresql"}
        if parts is None or not is_postgres or not parts.path.strip("/"):
            problem = "not a postgresql:// URL with a database name and a usable port"
            example = "postgresql://reviewapp:secret@db.example.com:5432/reviewapp"
            # The value may contain a password, so the message does not repeat it.
            raise _invalid(name, "…", problem, example)

        query = {}
        for parameter in parts.query.split("&"):
            key, _, option = parameter.partition("=")
            if parameter:
                query[key] = unquote(option)

        host = query.pop("host", "")
        port = str(parts.port or "")
        if not port:
            port = query.pop("port", "")
        return {
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": host or parts.hostname or "",
            "PORT": port,
            **{f"?{key}": option for key, option in query.items()},
        }


def origin(url: str) -> str:
    """Return scheme, host and port of a URL, as a browser compares them."""
    return "/".join(url.split("/")[:3])


def _split(value: str) -> SplitResult | None:
    """Return the parts of a URL, None when it or its port is malformed."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return None
    if port == 0:
        return None
    return parts


def _invalid(name: str, value: str, reason: str, example: str) -> ImproperlyConfigured:
    message = f"{name} is {value!r}, which is {reason}. For example: {name}={example}"
    return ImproperlyConfigured(message)
