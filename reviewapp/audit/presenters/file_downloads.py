"""Stream a file that a page offers. Each holds a web thread for long, so a person gets a few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render

from reviewapp.postgres.slots import acquire_slot, release_slot
from reviewapp.web.http import Request

MAX_CONCURRENT_FILES = 2
_RETRY_AFTER = 60


def stream_file(
    request: Request,
    chunks: Iterator[str] | Iterator[bytes],
    *,
    filename: str,
    content_type: str,
) -> HttpResponseBase:
    """Return the file, or 429 if the person is downloading `MAX_CONCURRENT_FILES` already."""
    name = f"reviewapp/files/{request.user.pk}/"
    slot = acquire_slot(name, most=MAX_CONCURRENT_FILES)
    if slot is None:
        context = {"most": MAX_CONCURRENT_FILES}
        refusal = render(request, "429_files.html", context, status=429)
        refusal["Retry-After"] = str(_RETRY_AFTER)
        return refusal

    body = _Body(chunks, name=name, slot=slot)
    response = StreamingHttpResponse(body, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


class _Body(Iterator[Any]):
    """The chunks of a file; closing it, read to its end or not, gives the place back."""

    def __init__(
        self,
        chunks: Iterator[str] | Iterator[bytes],
        *,
        name: str,
        slot: int,
    ) -> None:
        self._chunks = chunks
        self._name = name
        self._slot = slot

    def __next__(self) -> Any:
        return next(self._chunks)

    def close(self) -> None:
        """Give the place back; Django calls this however the response ends."""
        release_slot(self._name, self._slot)
