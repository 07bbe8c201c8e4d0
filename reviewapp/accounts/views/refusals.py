"""What somebody sees whose request is refused: without the right to it, malformed, or too large."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from reviewapp.accounts import roles


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
    return render(request, f"{status}.html", status=status)
