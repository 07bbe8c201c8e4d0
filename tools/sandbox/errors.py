"""Errors of the sandbox, and their two response bodies.

Problem           any answer that is not a success; carries the status and Mixpeek's `error.type`
  Invalid         422, with one `Complaint` for each value that is wrong
BadData           a data folder, state file or port the sandbox cannot start with
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """One wrong value: where it stands (`("body", "label")`) and what is the matter with it."""

    kind: str
    location: tuple[str | int, ...]
    message: str


class Problem(Exception):
    """The call cannot be answered with success; `status` and `kind` say how it is refused."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.details = details or {}


class Invalid(Problem):
    """The request was understood and its values are wrong (422)."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        problems = []
        for complaint in complaints:
            location = ".".join(map(str, complaint.location))
            problems.append(f"{location}: {complaint.message}")
        message = f"Request validation failed: {'; '.join(problems)}"
        super().__init__(422, "ValidationError", message)
        self.complaints = tuple(complaints)


class BadData(Exception):
    """The sandbox cannot start with what it was given; the message is one sentence for a person."""


def bad_request(message: str) -> Problem:
    """Return a 400."""
    return Problem(400, "BadRequestError", message)


def not_found(resource: str, name: str) -> Problem:
    """Return a 404 for `name`, which may as well live in another namespace."""
    return Problem(
        404,
        "NotFoundError",
        f"{resource} not found: {name}",
        {"resource": resource, "id": name},
    )


def already_exists(resource: str, name: str) -> Problem:
    """Return a 409 for a name that is taken."""
    message = f"A {resource} named {name!r} already exists in this namespace"
    return Problem(409, "AlreadyExistsError", message, {"resource": resource, "name": name})


def error_body(problem: Problem) -> dict[str, Any]:
    """Return the current ErrorResponse body; a 422 lists its `details.validation_errors`."""
    details = dict(problem.details)
    code = None
    if isinstance(problem, Invalid):
        errors = []
        for complaint in problem.complaints:
            error = {
                "type": complaint.kind,
                "location": list(complaint.location),
                "message": complaint.message,
            }
            errors.append(error)
        details["validation_errors"] = errors
        if problem.complaints:
            code = problem.complaints[0].kind

    return {
        "success": False,
        "status": problem.status,
        "error": {
            "message": problem.message,
            "type": problem.kind,
            "code": code,
            "details": details,
        },
    }


def fastapi_body(problem: Problem) -> dict[str, Any]:
    """Return the 2025-10 body: FastAPI's `detail` list for a 422, else the ErrorResponse."""
    if not isinstance(problem, Invalid):
        return error_body(problem)

    errors = []
    for complaint in problem.complaints:
        error = {
            "loc": list(complaint.location),
            "msg": complaint.message,
            "type": complaint.kind,
        }
        errors.append(error)
    return {"detail": errors}
