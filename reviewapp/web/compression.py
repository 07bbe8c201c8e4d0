"""Compress pages with gzip, except those that show a secret.

The size of a compressed page tells which of its texts repeat each other. Whoever can put text of
their choice into a page could guess a secret on it, letter by letter, from the sizes of many
responses (BREACH, https://breachattack.com). Django masks the CSRF token anew in each response and
adds a random number of bytes. Views that show any other secret are decorated with `shows_secret`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_cache_control

P = ParamSpec("P")
R = TypeVar("R", bound=HttpRequest)


class CompressedPages(GZipMiddleware):
    """Compress HTML; static files are compressed when they are collected."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Return the response, compressed if it is HTML and may be transformed."""
        is_html = response.headers.get("Content-Type", "").startswith("text/html")
        if not is_html or "no-transform" in response.headers.get("Cache-Control", ""):
            return response
        return super().process_response(request, response)


def shows_secret(
    view: Callable[Concatenate[R, P], HttpResponse],
) -> Callable[Concatenate[R, P], HttpResponse]:
    """Decorate a view whose page shows a secret: neither we nor a proxy may compress it."""

    @wraps(view)
    def marked(request: R, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_store=True, no_transform=True)
        return response

    return marked
