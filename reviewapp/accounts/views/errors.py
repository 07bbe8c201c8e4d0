"""Error pages: 403, 400, 413, 500 and 503."""

from __future__ import annotations

import sys
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from reviewapp.accounts import roles
from reviewapp.postgres.exceptions import RETRY_AFTER, is_unreachable
from reviewapp.web.middleware.request_limits import FileRefused


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Render 403 with the person's role and the roles that have the permission."""
    user: Any = request.user
    role = ""
    if user.is_authenticated:
        role = roles.role_of(user)
    context = {
        "role": role,
        "roles_that_may": roles.roles_with(getattr(user, "refused", "")),
    }
    return render(request, "403.html", context, status=403)


def malformed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Render 400 for a malformed request, or 413 for one that is too large."""
    status = 400
    if isinstance(exception, RequestDataTooBig):
        status = 413
    context = {"has_file": isinstance(exception, FileRefused)}
    return render(request, f"{status}.html", context, status=status)


def failed(request: HttpRequest) -> HttpResponse:
    """Render 500 for an error of ours, or 503 if the database is unreachable.

    Django calls this while it handles the exception. The page is rendered without the request,
    because the context of a request would query the database.
    """
    if is_unreachable(sys.exception()):
        headers = {"Retry-After": str(RETRY_AFTER)}
        return HttpResponse(render_to_string("503.html"), status=503, headers=headers)
    return HttpResponse(render_to_string("500.html"), status=500)
