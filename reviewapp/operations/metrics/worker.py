"""A worker's own numbers, on a port of its own: it serves no pages, and may run where no web process does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST

from reviewapp.operations.metrics import registry
from reviewapp.operations.metrics.auth import has_token, is_own_name

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_log = logging.getLogger(__name__)


class _Silent(WSGIRequestHandler):
    """Logs no request and does not wait for ever for one."""

    timeout = 5

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


def numbers(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with this process's numbers, to whoever has METRICS_TOKEN; without one, by a name of ours only."""
    if not _may_read(environ):
        start_response("401 Unauthorized", [("Content-Type", "text/plain"), ("WWW-Authenticate", "Bearer")])
        return [b"For METRICS_TOKEN as a bearer token; without one set, for this machine only.\n"]
    start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
    return [registry.exposition(gauges=False)]


def _may_read(environ: WSGIEnvironment) -> bool:
    if settings.METRICS_TOKEN:
        return has_token(environ.get("HTTP_AUTHORIZATION", ""))
    return is_own_name(environ.get("HTTP_HOST", "localhost"))


def serve_metrics(**_: Any) -> None:
    """Serve the numbers on WORKER_METRICS_PORT, if it is set, in a thread that ends with the process.

    Without METRICS_TOKEN only this machine can reach it. A port in use is logged and costs the numbers, not the work.
    """
    if not settings.WORKER_METRICS_PORT:
        return
    host = "0.0.0.0" if settings.METRICS_TOKEN else "127.0.0.1"  # noqa: S104 - guarded by the token
    try:
        server = make_server(host, settings.WORKER_METRICS_PORT, numbers, handler_class=_Silent)
    except OSError as error:
        _log.error("no metrics of this worker: WORKER_METRICS_PORT cannot be used (%s)", error.strerror)
        return
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
