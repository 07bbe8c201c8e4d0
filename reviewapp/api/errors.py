"""Every error in Mixpeek's own error body, so that its clients raise their usual exceptions.

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
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from reviewapp.mixpeek.exceptions import MixpeekError, Refused, Unauthorized, Unavailable
from reviewapp.sync.interactive_limits import ShareSpent

_log = logging.getLogger(__name__)
_MAX_VALIDATION_ERRORS = 100
_TYPES = {
    400: "BadRequestError",
    401: "UnauthorizedError",
    403: "ForbiddenError",
    404: "NotFoundError",
    405: "MethodNotAllowedError",
    409: "ConflictError",
    413: "PayloadTooLargeError",
    414: "UriTooLongError",
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

_TypedError = tuple[str, Sequence[str | int], str]


class Problem(Exception):
    """An error response; `status` is the HTTP status and `kind` Mixpeek's error type."""

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
        self.status = status
        self.message = message
        self.kind = kind or _TYPES.get(status, "Error")
        self.code = code
        self.details = details or {}
        self.retry_after = retry_after


def not_found(resource: str, name: str) -> Problem:
    """Return a 404."""
    details = {"resource": resource, "id": name[:200]}
    message = _("%(resource)s not found: %(id)s") % details
    return Problem(404, message, details=details)


def invalid_value(*location: str | int, message: str, kind: str = "value_error") -> Problem:
    """Return a 422 about one value; `location` begins with body, query, path or header."""
    return validation_problem([(kind, list(location), message)])


def validation_problem(errors: Iterable[_TypedError]) -> Problem:
    """Return a 422 that lists every invalid value as (type, location, message)."""
    validation_errors: list[dict[str, Any]] = []
    for kind, location, message in errors:
        validation_errors.append({"type": kind, "location": list(location), "message": message})
    validation_errors = validation_errors[:_MAX_VALIDATION_ERRORS]

    sentences = []
    for error in validation_errors:
        location_text = ".".join(map(str, error["location"]))
        sentences.append(f"{location_text}: {error['message']}")
    text = _("Request validation failed: %(errors)s") % {"errors": "; ".join(sentences)}

    code = None
    if validation_errors:
        code = str(validation_errors[0]["type"])
    return Problem(422, text[:4000], code=code, details={"validation_errors": validation_errors})


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the response to an exception that a view raised; DRF's exception handler."""
    problem = problem_from_error(error)

    headers = {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(problem.retry_after))
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return Response(error_body(problem), status=problem.status, headers=headers)


def error_body(problem: Problem) -> dict[str, Any]:
    """Return Mixpeek's error body."""
    error = {
        "message": problem.message,
        "type": problem.kind,
        "code": problem.code,
        "details": problem.details,
    }
    return {"success": False, "status": problem.status, "error": error}


def problem_from_error(error: Exception) -> Problem:
    """Return the problem that an exception means to the caller; log a fault of our own."""
    if isinstance(error, Problem):
        problem = error
    elif isinstance(error, exceptions.ValidationError):
        problem = validation_problem(flatten_errors(error.detail, ["body"]))
    elif isinstance(error, exceptions.Throttled):
        wait = getattr(error, "wait", None) or 1
        message = _("Too many requests. Wait and try again.")
        problem = Problem(429, message, retry_after=wait, details={"retry_after": wait})
    elif isinstance(error, exceptions.APIException):
        problem = Problem(error.status_code, str(error.detail))
    elif isinstance(error, MixpeekError):
        problem = problem_from_mixpeek_error(error)
    else:
        problem = problem_from_django_error(error)

    if problem.status == 500 or isinstance(error, (OperationalError, InterfaceError)):
        _log.error("the API failed", exc_info=error)
    return problem


def problem_from_django_error(error: Exception) -> Problem:
    """Return the problem for an error of Django or the database, 500 for any other exception."""
    if isinstance(error, PermissionDenied):
        return Problem(403, str(error) or _("Your role may not do this."))

    if isinstance(error, Http404):
        return Problem(404, _("Not found."))

    if isinstance(error, RequestDataTooBig):
        return Problem(413, _("The body is larger than 1 MiB."))

    if isinstance(error, (UnreadablePostError, SuspiciousOperation)):
        return Problem(400, _("The request could not be read."))

    if isinstance(error, (OperationalError, InterfaceError)):
        return Problem(503, _("The database is not available. Try again."), retry_after=1)

    message = _("Something went wrong here. The log has the details under the request id.")
    return Problem(500, message)


def problem_from_mixpeek_error(error: MixpeekError) -> Problem:
    """Return Mixpeek's error in its own words, except where our API key is at fault."""
    details: dict[str, Any] = {}
    if error.request_id:
        details["upstream_request_id"] = error.request_id

    if isinstance(error, ShareSpent):
        return Problem(429, error.message, retry_after=error.retry_after)

    if isinstance(error, Unavailable):
        retry_after = error.retry_after or 5
        return Problem(503, error.message, details=details, retry_after=retry_after)

    if isinstance(error, Unauthorized):
        message = _("This gateway cannot ask Mixpeek: %(message)s") % {"message": error.message}
        return Problem(503, message, details=details, retry_after=60)

    validation_errors = []
    if isinstance(error, Refused):
        for name, reason in error.fields.items():
            location = ["body", name]
            validation_errors.append({"type": "upstream", "location": location, "message": reason})
    if validation_errors:
        details["validation_errors"] = validation_errors

    status = 422
    if error.status in {400, 404, 409}:
        status = error.status
    return Problem(status, error.message, details=details)


def flatten_errors(
    detail: Any,
    location: list[str | int],
) -> Iterator[tuple[str, list[str | int], str]]:
    """Yield each leaf of DRF's nested errors as (type, location, message)."""
    if isinstance(detail, dict):
        for name, nested in detail.items():
            if name == "non_field_errors":
                yield from flatten_errors(nested, location)
            else:
                yield from flatten_errors(nested, [*location, name])

    elif isinstance(detail, list):
        for index, nested in enumerate(detail):
            # Only the errors of a list's items have an index; those of the list itself are texts.
            if nested and isinstance(nested, dict | list):
                yield from flatten_errors(nested, [*location, index])
            else:
                yield from flatten_errors(nested, location)

    else:
        code = str(getattr(detail, "code", "value_error"))
        yield _CODES.get(code, code), location, str(detail)
