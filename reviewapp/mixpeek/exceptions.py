"""Errors of the client, named by what to do next.

    MixpeekError
      Unavailable              try again later
        Garbled                try again later, after reading what is there now
          Unreadable           ask for less, or leave out the record that was asked for
      Unauthorized             fix our key, our plan or our settings; the request is fine
        NamespaceUnresolved    fix the name of the namespace
      Refused                  change the request
        NotFound               the record does not exist (any more)
        NotApplied             Mixpeek reported success without making the change

Each carries `message` (plain text, bounded, safe to show to a person), `status` (HTTP, or None when
there was no answer or we refused by ourselves) and `request_id` (Mixpeek's `x-request-id`, to quote
to support). `maybe_applied` is true when a write may have been done although no good answer came:
read before sending it again.
"""

from __future__ import annotations


class MixpeekError(Exception):
    """A call to Mixpeek failed."""

    maybe_applied = False

    def __init__(self, message: str, *, status: int | None = None, request_id: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.request_id = request_id


class Unavailable(MixpeekError):
    """Try later: no connection, a timeout, 408, 425, 429 or 5xx.

    `retry_after` is in seconds (0 to a day) when Mixpeek said so. `retryable` is false when Mixpeek
    itself says that the same request will fail again: do not send it again unless a person asks.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str = "",
        retry_after: float | None = None,
        maybe_applied: bool = False,
        retryable: bool = True,
    ) -> None:
        super().__init__(message, status=status, request_id=request_id)
        self.retry_after = retry_after
        self.maybe_applied = maybe_applied
        self.retryable = retryable


class Garbled(Unavailable):
    """Read again, later: an HTML page, half a body, a wrong type or a redirect came back."""


class Unreadable(Garbled):
    """The JSON is too large or not what the call promises; other records may be readable."""


class Unauthorized(MixpeekError):
    """Our key, plan or settings are at fault (401, 402, 403, 407): other calls will fail too."""


class NamespaceUnresolved(Unauthorized):
    """Mixpeek does not know our `namespace`, so every list would be empty."""

    def __init__(
        self,
        message: str,
        *,
        namespace: str = "",
        status: int | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message, status=status, request_id=request_id)
        self.namespace = namespace


class Refused(MixpeekError):
    """The request is not acceptable (400, 409, 422, ...); `fields` has the reasons by field."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str = "",
        fields: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message, status=status, request_id=request_id)
        self.fields = dict(fields or {})


class NotFound(Refused):
    """Not found (404, 410): a wrong id or namespace, deleted, or a server too old for the call."""


class NotApplied(Refused):
    """Mixpeek reported success, but the record lacks a change; `fields` names what is missing."""
