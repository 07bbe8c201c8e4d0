"""Access to metrics and details: METRICS_TOKEN, an admin, or this machine if no token is set.

A request from this machine must also use a host name of ours, because a page in a local browser can
point a name of its own at us.
"""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host
from django.utils.crypto import constant_time_compare

_FORWARDED = (
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "Via",
)


def has_token(authorization: str) -> bool:
    """Return whether an Authorization header carries METRICS_TOKEN; never when none is set."""
    scheme, _, token = authorization.partition(" ")
    if not settings.METRICS_TOKEN or scheme.casefold() != "bearer":
        return False
    return constant_time_compare(token.strip(), settings.METRICS_TOKEN)


def may_measure(request: HttpRequest) -> bool:
    """Return whether this request may read /metrics: with the token, or locally if none is set."""
    if settings.METRICS_TOKEN:
        return has_token(request.headers.get("Authorization", ""))

    # A proxy on this machine uses loopback too.
    if any(header in request.headers for header in _FORWARDED):
        return False
    # Every browser sends a Host header.
    host = request.headers.get("Host", "localhost")
    return _is_loopback(request.META.get("REMOTE_ADDR", "")) and is_own_name(host)


def may_see_details(request: HttpRequest, *, ask_who: bool) -> bool:
    """Return whether the request may see more than statuses.

    `ask_who` is whether the session may be read, which needs the database.
    """
    if has_token(request.headers.get("Authorization", "")):
        return True
    if not ask_who:
        return False
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated and user.has_perm("accounts.change_user")


def is_own_name(host: str) -> bool:
    """Return whether a Host header has a name that is ours, or an address or name of loopback."""
    name, _ = split_domain_port(host)
    ours = [allowed for allowed in settings.ALLOWED_HOSTS if allowed != "*"]
    return name == "localhost" or _is_loopback(name.strip("[]")) or validate_host(name, ours)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
