"""One log line and one count for each request, and an answer to probes that know our address but not our name."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.utils.functional import LazyObject, empty

from reviewapp.audit import context
from reviewapp.operations import views
from reviewapp.operations.metrics import registry

_log = logging.getLogger("reviewapp.access")
_PROBES = {"/health/live": views.live, "/health/ready": views.ready, "/metrics": views.metrics}
_ROUTES = {path.removeprefix("/") for path in _PROBES}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class ProbesOfAnyHost:
    """Answer health and metrics whatever the Host header says: orchestrators probe by address.

    Such a request gets what a stranger gets (no session is looked at), and nothing in the answers depends on the host.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = _PROBES.get(request.path_info)
        return probe(request) if probe and _is_of_another_host(request) else self.get_response(request)


class AccessLog:
    """Write the access line and count the request; stands inside the tracing, outside everything that may answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        response = self.get_response(request)
        seconds = perf_counter() - began
        match = request.resolver_match
        route = match.route if match else "(none)"
        method = request.method if request.method in _METHODS else "(other)"
        registry.count_request(route=route, method=method, status=response.status_code, seconds=seconds)
        line = {"route": route, "method": method, "status": response.status_code, "ms": round(seconds * 1000, 1)}
        line |= {"person": _person(request), "ref": context.ref() or _named(match.kwargs if match else {})}
        # Probes come every few seconds and say nothing when all is well.
        quiet = route in _ROUTES and response.status_code < 400
        _log.log(logging.DEBUG if quiet else logging.INFO, "answered", extra=line)
        return response


def _is_of_another_host(request: HttpRequest) -> bool:
    try:
        request.get_host()
    except DisallowedHost:
        return True
    return False


def _person(request: HttpRequest) -> int | None:
    """Return who it was, as far as somebody found out already: a log line asks the database nothing."""
    user: Any = getattr(request, "user", None)
    if isinstance(user, LazyObject) and user.__dict__.get("_wrapped", empty) is empty:
        return None
    return getattr(user, "pk", None)


def _named(kwargs: dict[str, Any]) -> str:
    """Return the ref in an address that names its subject by upstream's id."""
    for kind in ("annotation", "retriever"):
        if isinstance(named := kwargs.get(f"{kind}_id"), str):
            return f"{kind}s/{named}"
    return ""
