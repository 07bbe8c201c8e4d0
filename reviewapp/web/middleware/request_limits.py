"""Limit the address, the body and the encoding of a request: a form's size, no uploaded files.

Without this, anybody's uploads are written to /tmp whatever their size, because Django's limit
(`DATA_UPLOAD_MAX_MEMORY_SIZE`) does not count them.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

# In characters, percent-encoded, with the query. Browsers repeat a page's address in two header
# fields, and a head may have 64 KiB in all (`operations.server.request_parser`).
MAX_ADDRESS_LENGTH = 16 * 1024


class FileRefused(SuspiciousOperation):
    """A form contained a file, and no page here accepts one."""


class NoFiles(FileUploadHandler):
    """The only upload handler: refuse a form at its first file, before anything of the file is
    stored.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Raise `FileRefused`."""
        raise FileRefused("No page takes a file.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Store nothing; never reached, because `new_file` raises."""
        return None

    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:
        """Return no file; never reached, because `new_file` raises."""
        return None


class BoundedAddress:
    """Answer 414 to a request whose address is too long, before anything reads its query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = len(request.path) + len(request.META.get("QUERY_STRING", ""))
        if length > MAX_ADDRESS_LENGTH:
            return HttpResponse(render_to_string("414.html"), status=414)
        return self.get_response(request)


class BoundedBody:
    """Refuse a request by its Content-Length alone, before anything of its body is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        text = request.META.get("CONTENT_LENGTH") or "0"
        content_length = 0
        # Django reads nothing if this is no number.
        if text.isascii() and text.isdigit():
            content_length = int(text[:20])
        if content_length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig("The body is larger than DATA_UPLOAD_MAX_MEMORY_SIZE.")
        return self.get_response(request)


class Utf8Forms:
    """Refuse a form in another encoding than UTF-8, as Django itself does unless it is multipart.

    UTF-7 can spell half of a surrogate pair, which PostgreSQL cannot store.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_multipart = request.content_type == "multipart/form-data"
        encoding = codecs.lookup(request.encoding or "utf-8").name
        if is_multipart and encoding != "utf-8":
            raise BadRequest("A form must be in UTF-8.")
        return self.get_response(request)
