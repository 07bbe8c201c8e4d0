"""Serve a worker's metrics on a port of its own, because it serves no pages."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST

from reviewapp.operations.metrics import registry
from reviewapp.operations.metrics.auth import has_token, is_own_name

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_log = logging.getLogger(__name__)


class _Ipv6Server(WSGIServer):
    """Takes IPv4 connections as well, as a socket of `::` does."""

    address_family = socket.AF_INET6


class _SilentHandler(WSGIRequestHandler):
    """Logs no requests; a request must arrive within five seconds."""

    timeout = 5

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


def metrics_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Respond with this process's metrics; a WSGI application.

    Requires METRICS_TOKEN or, if none is set, a host name of ours.
    """
    if settings.METRICS_TOKEN:
        may_read = has_token(environ.get("HTTP_AUTHORIZATION", ""))
    else:
        may_read = is_own_name(environ.get("HTTP_HOST", "localhost"))

    if not may_read:
        headers = [("Content-Type", "text/plain"), ("WWW-Authenticate", "Bearer")]
        start_response("401 Unauthorized", headers)
        return [
            b"Send METRICS_TOKEN as a bearer token. "
            b"Without one set, only this machine is answered.\n"
        ]
    start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
    return [registry.exposition(gauges=False)]


def serve_metrics(**_: Any) -> None:
    """Serve metrics on WORKER_METRICS_PORT, if it is set, in a daemon thread.

    Without METRICS_TOKEN only this machine can connect. A port in use is logged, and the worker
    runs without metrics.
    """
    if not settings.WORKER_METRICS_PORT:
        return
    host = "127.0.0.1"
    server_class = WSGIServer
    if settings.METRICS_TOKEN and socket.has_dualstack_ipv6():
        host = "::"
        server_class = _Ipv6Server
    elif settings.METRICS_TOKEN:
        host = "0.0.0.0"  # noqa: S104 - the token is required
    try:
        server = make_server(
            host,
            settings.WORKER_METRICS_PORT,
            metrics_app,
            server_class=server_class,
            handler_class=_SilentHandler,
        )
    except OSError as error:
        _log.error(
            "no metrics of this worker: WORKER_METRICS_PORT cannot be used (%s)",
            error.strerror,
        )
        return
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
