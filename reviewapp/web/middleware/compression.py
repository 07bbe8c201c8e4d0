"""Compress pages with gzip, except those that show a secret.

The size of a compressed page tells which of its texts repeat each other. Whoever can put text of
their choice into a page could guess a secret on it, letter by letter, from the sizes of many
responses (BREACH, https://breachattack.com). So Django masks the CSRF token anew in each response,
the size is blurred by a random number of bytes, and views that show any other secret are decorated
with `shows_secret`.
"""

from __future__ import annotations

import gzip
import re
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control, patch_vary_headers

P = ParamSpec("P")
R = TypeVar("R", bound=HttpRequest)

# A quarter of the time that Django's own middleware takes with level 6, for a seventh more bytes.
_LEVEL = 2
# Not worth it below.
_MIN_LENGTH = 200
_MAX_RANDOM_BYTES = 100
_ACCEPTS_GZIP = re.compile(r"\bgzip\b")
# RFC 1952: the fixed header, whose fourth byte says that a file's name follows, up to a null byte.
_HEADER_LENGTH = 10
_FLAGS = 3
_HAS_NAME = 8


class CompressedPages:
    """Compress HTML if the browser accepts it; static files are compressed when collected."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not is_compressible(response):
            return response

        patch_vary_headers(response, ("Accept-Encoding",))
        if _ACCEPTS_GZIP.search(request.headers.get("Accept-Encoding", "")):
            response.content = compressed(response.content)
            response.headers["Content-Encoding"] = "gzip"
            response.headers["Content-Length"] = str(len(response.content))
        return response


def is_compressible(response: HttpResponse) -> bool:
    """Return whether it is a page of HTML that is long enough to gain by it."""
    if response.streaming or response.has_header("Content-Encoding"):
        return False
    if not response.headers.get("Content-Type", "").startswith("text/html"):
        return False
    if "no-transform" in response.headers.get("Cache-Control", ""):
        return False
    return len(response.content) >= _MIN_LENGTH


def compressed(content: bytes) -> bytes:
    """Return content as gzip, with a file name of random length that blurs the size."""
    data = gzip.compress(content, compresslevel=_LEVEL, mtime=0)
    header = bytearray(data[:_HEADER_LENGTH])
    header[_FLAGS] = _HAS_NAME
    name = b"a" * secrets.randbelow(_MAX_RANDOM_BYTES)
    return bytes(header) + name + b"\0" + data[_HEADER_LENGTH:]


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
