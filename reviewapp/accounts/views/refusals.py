"""What somebody without the right sees."""

from __future__ import annotations

from typing import Any

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
