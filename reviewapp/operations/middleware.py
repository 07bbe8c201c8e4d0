"""Log and count each request, and answer probes that use our address instead of our name."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from reviewapp.audit import context
from reviewapp.operations import views
from reviewapp.operations.metrics import registry
from reviewapp.ref import Ref, RefKind

_log = logging.getLogger("reviewapp.access")
_PROBE_VIEWS = {"/health/live": views.live, "/health/ready": views.ready, "/metrics": views.metrics}
_PROBE_ROUTES = {path.removeprefix("/") for path in _PROBE_VIEWS}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class ProbesOfAnyHost:
    """Answer health and metrics for any Host header: orchestrators probe by address.

    Such a request is anonymous (no session is read), and no response depends on the host.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = _PROBE_VIEWS.get(request.path_info)
        if probe:
            try:
                request.get_host()
            except DisallowedHost:
                return probe(request)
        return self.get_response(request)


class AccessLog:
    """Log and count each request; inside the tracing, outside all middleware that may respond."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = perf_counter()
        response = self.get_response(request)
        seconds = perf_counter() - started

        route = "(none)"
        path_arguments: dict[str, Any] = {}
        if request.resolver_match:
            route = request.resolver_match.route
            path_arguments = request.resolver_match.kwargs
        method = "(other)"
        if request.method in _METHODS:
            method = request.method
        registry.count_request(
            route=route,
            method=method,
            status=response.status_code,
            seconds=seconds,
        )

        fields = {
            "route": route,
            "method": method,
            "status": response.status_code,
            "ms": round(seconds * 1000, 1),
            "person": context.person_key(),
            "ref": context.subject_ref() or _ref_in_path(path_arguments),
        }
        # Probes come every few seconds and are only of interest when they fail.
        level = logging.INFO
        if route in _PROBE_ROUTES and response.status_code < 400:
            level = logging.DEBUG
        _log.log(level, "answered", extra=fields)
        return response


def _ref_in_path(kwargs: dict[str, Any]) -> str:
    """Return the ref in a path with an id of Mixpeek's."""
    kinds = {"annotation_id": RefKind.ANNOTATION, "retriever_id": RefKind.RETRIEVER}
    for argument, kind in kinds.items():
        upstream_id = kwargs.get(argument)
        if isinstance(upstream_id, str):
            return str(Ref(kind, upstream_id))
    return ""
