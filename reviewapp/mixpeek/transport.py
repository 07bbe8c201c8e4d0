"""The half of the client that sends: one session, one place where requests' errors become ours.

The key lives in an `ApiKeyAuth` that shows itself as `***`, is put on each request alone, and is
wiped from every answer before anything reads it. Our errors are raised outside the `except`, so no
chain leads to a request with headers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
)
from urllib3.exceptions import TimeoutError as HTTPTimeout

from reviewapp.deadline import Deadline, DeadlineAdapter
from reviewapp.mixpeek.exceptions import Garbled, MixpeekError, Unavailable, Unreadable
from reviewapp.mixpeek.parsing.bounds import MAX_BYTES
from reviewapp.mixpeek.rate_hooks import Pace, parse_limit
from reviewapp.mixpeek.response import Reply
from reviewapp.mixpeek.wire import Call, parse_response

T = TypeVar("T")
Timeout = tuple[float, float]
# Is told of each request: its method, the answer's status (None when there was none), how many
# seconds it took.
Observer = Callable[[str, int | None, float], None]
_CHUNK = 64 * 1024
_TOO_MANY = 429


class ApiKeyAuth(AuthBase):
    """The API key: authenticates requests, and is wiped from responses; its repr hides it."""

    def __init__(self, value: str) -> None:
        if not re.fullmatch(r"[\x21-\x7e]{4,}", value):
            raise ValueError("api_key must be 4 or more visible ASCII characters, like sk_live_...")
        self._value = value
        pattern = ""
        for char in value:
            pattern += rf"(?:{re.escape(char)}|\\{re.escape(char)}|\\u00{ord(char):02x})"
        self._echo = re.compile(pattern, re.IGNORECASE)
        self._echo_bytes = re.compile(self._echo.pattern.encode(), re.IGNORECASE)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._value}"
        return request

    def __repr__(self) -> str:
        return "Key(***)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not written anywhere")

    def wiped(self, text: str) -> str:
        """Return `text` with `***` for every spelling of the key (JSON escapes, other case)."""
        return self._echo.sub("***", text)

    def wiped_bytes(self, data: bytes) -> bytes:
        """Do the same to bytes."""
        return self._echo_bytes.sub(b"***", data)


class Transport:
    """Sends calls to one Mixpeek with one key and one namespace; safe to share between threads.

    It keeps no state of its own between calls, the session's pool of connections is thread-safe,
    headers go with each request, and our own session refuses cookies. A session passed in must not
    be changed while threads use it.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        namespace: str,
        timeout: Timeout,
        slow_timeout: Timeout,
        pool_size: int,
        session: requests.Session | None,
        observe: Observer | None = None,
        pace: Pace | None = None,
    ) -> None:
        if not re.fullmatch(r"[\x20-\x7e]+", namespace) or namespace != namespace.strip():
            raise ValueError(
                "namespace must be visible ASCII text, like ns_0123456789 or my-namespace"
            )

        self.base_url = _base(base_url)
        self.namespace = namespace
        self._key = ApiKeyAuth(api_key)
        self._timeouts = {False: _timeout(timeout), True: _timeout(slow_timeout)}
        self._session = session or _session(self.base_url, pool_size)
        # Proxies and certificates of the environment, read once: all calls go to this address.
        self._environment = self._session.merge_environment_settings(
            self.base_url,
            proxies={},
            stream=True,
            verify=None,
            cert=None,
        )
        self._observe = observe
        self._pace = pace

    @property
    def longest_call(self) -> float:
        """Seconds after which an ordinary call has certainly ended.

        The host may have three addresses that do not answer before the deadline starts.
        """
        connect, read = self._timeouts[False]
        return 3 * connect + 2 * read

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def send(self, call: Call[T]) -> T:
        """Send `call` once, when the pace allows it, and return its value.

        Raises a `MixpeekError` and nothing else.
        """
        if self._pace is None:
            reply = self._send_observed(call)
            return parse_response(call, reply)

        self._pace.ask()
        try:
            reply = self._send_observed(call)
            limit = parse_limit(reply.headers, now=reply.received_at)
            if limit:
                self._pace.record_limit(limit)
            return parse_response(call, reply)
        except Unavailable as error:
            if error.status == _TOO_MANY:
                self._pace.refused(error.retry_after)
            raise

    def _send_observed(self, call: Call[T]) -> Reply:
        """Send `call` and report it to the observer; return the reply of any status."""
        start = time.monotonic()
        outcome = self._exchange(call)
        if self._observe is not None:
            status = None
            if isinstance(outcome, Reply):
                status = outcome.status
            self._observe(call.method, status, time.monotonic() - start)

        if isinstance(outcome, MixpeekError):
            raise outcome
        return outcome

    def _exchange(self, call: Call[T]) -> Reply | MixpeekError:
        timeout = self._timeouts[call.slow]
        deadline = Deadline(sum(timeout))
        outcome: Reply | MixpeekError

        try:
            headers = {
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
                "User-Agent": "reviewapp",
            }
            if call.namespaced:
                headers["X-Namespace"] = self.namespace
            if call.body is not None:
                headers["Content-Type"] = "application/json"
            headers |= call.headers

            # `Session.request` would merge settings of the session with each of these first.
            request = requests.Request(
                call.method,
                f"{self.base_url}{call.target}",
                headers=headers,
                data=call.body,
                auth=self._key,
            )
            with (
                deadline,
                self._session.send(
                    request.prepare(),
                    timeout=timeout,
                    allow_redirects=False,
                    **self._environment,
                ) as response,
            ):
                outcome = self._reply(call, response)
        except (requests.RequestException, HTTPError, OSError) as error:
            outcome = _unavailable(error, writes=call.writes)

        # A connection that was shut down may look like one that the server closed.
        if deadline.has_passed:
            return Unavailable(
                "Mixpeek did not finish its answer in time.", maybe_applied=call.writes
            )
        return outcome

    def _reply(self, call: Call[T], response: requests.Response) -> Reply | MixpeekError:
        body = bytearray()
        chunk = response.raw.read1(_CHUNK, decode_content=True)
        while chunk:
            body += chunk
            if len(body) > MAX_BYTES:
                return Unreadable("Mixpeek's answer is too large.", maybe_applied=call.writes)
            chunk = response.raw.read1(_CHUNK, decode_content=True)

        headers = {}
        for name, value in response.headers.items():
            headers[name.lower()] = self._key.wiped(value)
        return Reply(
            status=response.status_code,
            headers=headers,
            body=self._key.wiped_bytes(bytes(body)),
            received_at=datetime.now(UTC),
            namespace=self.namespace,
        )


def _unavailable(error: Exception, *, writes: bool) -> Unavailable:
    reason: object = None
    if error.args:
        reason = error.args[0]
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return Unavailable("Mixpeek could not be reached.")
    if isinstance(error, requests.Timeout | HTTPTimeout):
        return Unavailable("Mixpeek did not answer in time.", maybe_applied=writes)
    if isinstance(error, ProtocolError | DecodeError):
        return Garbled("Mixpeek's answer broke off or could not be unpacked.", maybe_applied=writes)
    return Unavailable("The connection to Mixpeek broke before it answered.", maybe_applied=writes)


def _session(base_url: str, pool_size: int) -> requests.Session:
    session = requests.Session()
    # No retries here: the outbox decides when to try again, and must know of every attempt.
    adapter = DeadlineAdapter(
        pool_connections=2, pool_maxsize=pool_size, pool_block=False, max_retries=0
    )
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # A proxy from the environment cannot know what is on our own loopback.
    session.trust_env = not on_loopback(base_url)
    return session


def on_loopback(base_url: str) -> bool:
    """Return whether an address is on this very machine."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _base(url: str) -> str:
    parts = urlsplit(url.strip())
    is_http = parts.scheme in {"http", "https"} and bool(parts.hostname)
    has_extras = "@" in parts.netloc or parts.query or parts.fragment
    if not is_http or has_extras:
        raise ValueError(
            "base_url must be an http(s) URL without user, query or fragment: "
            "https://api.mixpeek.com"
        )

    address = url.strip().rstrip("/").removesuffix("/v1")
    # A host that cannot be one fails here, with a `ValueError`, and not at the first call.
    requests.Request("GET", address).prepare()
    return address


def _timeout(pair: Timeout) -> Timeout:
    connect, read = pair
    if not (0 < connect < float("inf") and 0 < read < float("inf")):
        raise ValueError("a timeout is (connect, read) in seconds, both more than 0, like (5, 30)")
    return (float(connect), float(read))
