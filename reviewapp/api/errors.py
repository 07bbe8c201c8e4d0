"""Every refusal in Mixpeek's own error body, so that its clients raise what they always raised.

{"success": false, "status": 404, "error": {"message", "type", "code", "details"}}
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

from reviewapp.mixpeek.exceptions import MixpeekError, Refused, Unauthorized, Unavailable
from reviewapp.sync.interactive_limits import ShareSpent

_log = logging.getLogger(__name__)
_MOST_COMPLAINTS = 100
_TYPES = {
    400: "BadRequestError",
    401: "UnauthorizedError",
    403: "ForbiddenError",
    404: "NotFoundError",
    405: "MethodNotAllowedError",
    409: "ConflictError",
    413: "PayloadTooLargeError",
    422: "ValidationError",
    429: "TooManyRequestsError",
    500: "InternalServerError",
    503: "ServiceUnavailableError",
}
_CODES = {
    "required": "missing",
    "null": "null_not_allowed",
    "blank": "string_too_short",
    "min_length": "string_too_short",
    "max_length": "string_too_long",
    "min_value": "greater_than_equal",
    "max_value": "less_than_equal",
    "invalid_choice": "enum",
}


class Problem(Exception):
    """Whatever is not answered with success; `status` and `kind` say how it is refused."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "",
        code: str | None = None,
        details: dict[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code
        self.kind = kind or _TYPES.get(status, "Error")
        self.details, self.retry_after = details or {}, retry_after


def not_found(resource: str, name: str) -> Problem:
    """Return a 404."""
    return Problem(404, f"{resource} not found: {name[:200]}", details={"resource": resource, "id": name[:200]})


def wrong(*location: str | int, message: str, kind: str = "value_error") -> Problem:
    """Return a 422 about one value; `location` begins with body, query, path or header."""
    return invalid([(kind, list(location), message)])


def invalid(complaints: Iterable[tuple[str, Sequence[str | int], str]]) -> Problem:
    """Return a 422 that lists every wrong value as (type, location, message)."""
    listed = [{"type": kind, "location": list(at), "message": said} for kind, at, said in complaints][:_MOST_COMPLAINTS]
    said = "; ".join(f"{'.'.join(map(str, each['location']))}: {each['message']}" for each in listed)
    code = str(listed[0]["type"]) if listed else None
    message = f"Request validation failed: {said}"
    return Problem(422, message[:4000], code=code, details={"validation_errors": listed})


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to whatever a view raised; DRF's exception handler."""
    problem = understood(error)
    headers = {"Retry-After": str(math.ceil(problem.retry_after))} if problem.retry_after is not None else {}
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return Response(body(problem), status=problem.status, headers=headers)


def body(problem: Problem) -> dict[str, Any]:
    """Return Mixpeek's error body."""
    error = {
        "message": problem.message,
        "type": problem.kind,
        "code": problem.code,
        "details": problem.details,
    }
    return {"success": False, "status": problem.status, "error": error}


def understood(error: Exception) -> Problem:
    """Return what an error means to the caller; what is our own fault is logged."""
    problem = _problem(error)
    if problem.status == 500 or isinstance(error, (OperationalError, InterfaceError)):
        _log.error("the API failed", exc_info=error)
    return problem


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, exceptions.ValidationError):
        return invalid(complaints(error.detail, ["body"]))
    if isinstance(error, exceptions.Throttled):
        wait = getattr(error, "wait", None) or 1
        return Problem(429, "Too many requests. Wait and try again.", retry_after=wait, details={"retry_after": wait})
    if isinstance(error, exceptions.APIException):
        return Problem(error.status_code, str(error.detail))
    return _upstream(error) if isinstance(error, MixpeekError) else _other(error)


def _other(error: Exception) -> Problem:
    for kind, status, message in (
        (PermissionDenied, 403, str(error) or "Your role may not do this."),
        (Http404, 404, "Not found."),
        (RequestDataTooBig, 413, "The body is larger than 1 MiB."),
        ((UnreadablePostError, SuspiciousOperation), 400, "The request could not be read."),
        ((OperationalError, InterfaceError), 503, "The database is busy or away. Try again."),
    ):
        if isinstance(error, kind):
            return Problem(status, message, retry_after=1 if status == 503 else None)
    return Problem(500, "Something went wrong here. It was logged under the request id.")


def _upstream(error: MixpeekError) -> Problem:
    """Return what Mixpeek's refusal means to our caller: its own words, except where our key is at fault."""
    details = {"upstream_request_id": error.request_id} if error.request_id else {}
    if isinstance(error, ShareSpent):
        return Problem(429, error.message, retry_after=error.retry_after)
    if isinstance(error, Unavailable):
        return Problem(503, error.message, details=details, retry_after=error.retry_after or 5)
    if isinstance(error, Unauthorized):
        return Problem(503, f"This gateway cannot ask Mixpeek: {error.message}", details=details, retry_after=60)
    status = error.status if error.status in {400, 404, 409} else 422
    fields = error.fields if isinstance(error, Refused) else {}
    listed = [{"type": "upstream", "location": ["body", name], "message": why} for name, why in fields.items()]
    return Problem(status or 422, error.message, details=details | ({"validation_errors": listed} if listed else {}))


def complaints(detail: Any, at: list[str | int]) -> Iterator[tuple[str, list[str | int], str]]:
    """Yield each leaf of DRF's nested errors with the place it is about."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from complaints(inner, at if name == "non_field_errors" else [*at, name])
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            if isinstance(inner, dict | list):
                yield from complaints(inner, [*at, number] if inner else at)
            else:
                yield from complaints(inner, at)
    else:
        code = str(getattr(detail, "code", "value_error"))
        yield _CODES.get(code, code), at, str(detail)
