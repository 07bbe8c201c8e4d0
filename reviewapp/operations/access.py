"""Who may read numbers and details: whoever holds METRICS_TOKEN, and an admin; without a token, this machine."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")


def has_token(authorization: str) -> bool:
    """Return whether an Authorization header carries METRICS_TOKEN; never when none is set."""
    scheme, _, token = authorization.partition(" ")
    given = bool(settings.METRICS_TOKEN) and scheme.casefold() == "bearer"
    return given and constant_time_compare(token.strip(), settings.METRICS_TOKEN)


def may_measure(request: HttpRequest) -> bool:
    """Return whether this request may read /metrics: with the token, or from this machine while there is none."""
    if settings.METRICS_TOKEN:
        return has_token(request.headers.get("Authorization", ""))
    return _is_from_here(request)


def may_see_details(request: HttpRequest, *, ask_who: bool) -> bool:
    """Return whether to say more than status words; `ask_who` is whether to ask the database who is signed in."""
    if has_token(request.headers.get("Authorization", "")):
        return True
    user = getattr(request, "user", None) if ask_who else None
    return user is not None and user.is_authenticated and user.has_perm("accounts.change_user")


def _is_from_here(request: HttpRequest) -> bool:
    """Tell a process of this machine from a proxy on it, whose every request comes from loopback too."""
    if any(header in request.headers for header in _FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
