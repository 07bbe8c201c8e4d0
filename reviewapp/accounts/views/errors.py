"""What somebody sees whose request is refused: without the right to it, malformed, or too large; or fails here."""

from __future__ import annotations

import sys
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from reviewapp.accounts import roles
from reviewapp.postgres.errors import RETRY_AFTER, is_unreachable
from reviewapp.web.body_limit import FileRefused


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say who the person is, and which role may do what was refused."""
    user: Any = request.user
    context = {
        "role": roles.role_of(user) if user.is_authenticated else "",
        "roles_that_may": roles.roles_with(getattr(user, "refused", "")),
    }
    return render(request, "403.html", context, status=403)


def malformed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that what was sent makes no sense (400), or that it is more than we accept (413)."""
    status = 413 if isinstance(exception, RequestDataTooBig) else 400
    context = {"has_file": isinstance(exception, FileRefused)}
    return render(request, f"{status}.html", context, status=status)


def failed(request: HttpRequest) -> HttpResponse:
    """Say that this failed on our side (500), or that the database is away and will be back (503).

    Django calls this while it handles the error. The page is rendered without the request, which would ask it.
    """
    if is_unreachable(sys.exception()):
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": str(RETRY_AFTER)})
    return HttpResponse(render_to_string("500.html"), status=500)
