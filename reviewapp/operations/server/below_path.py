"""Serve the app below a path of the host (SCRIPT_NAME), whether the proxy removes it or not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class BelowPath:
    """Remove SCRIPT_NAME from the path of each request that has it; a WSGI application.

    Django puts it in front of every URL that it makes. A request without it comes from a proxy that
    has removed it, or from a probe.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        prefix = settings.FORCE_SCRIPT_NAME
        if prefix:
            path = environ["PATH_INFO"]
            if path == prefix or path.startswith(f"{prefix}/"):
                environ["PATH_INFO"] = path.removeprefix(prefix)
            environ["SCRIPT_NAME"] = prefix
        return self.application(environ, start_response)
