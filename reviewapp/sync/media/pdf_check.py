"""Check whether a file is a PDF before a page frames it: by its content, not by its name.

A frame shows any content, and an HTML page would run its scripts there. Browsers show no PDF in a
frame with the attribute `sandbox` (https://github.com/whatwg/html/issues/3958), hence this check.
"""

from __future__ import annotations

from http import HTTPStatus

from reviewapp.bounded_cache import MIB, BoundedCache
from reviewapp.sync.media.file_start import SUCCESS, UnreadableFile, read_start

_MAGIC = b"%PDF-"
_CONTENT_TYPE = "application/pdf"
_CACHE_SECONDS = 60
_cache: BoundedCache[bool] = BoundedCache(most_bytes=MIB)


def is_pdf(url: str) -> bool:
    """Return whether the file at `url` has a PDF's content type and header.

    `url` must be on an allowed host. Reads the first bytes, at most once a minute. Raises
    `UnreadableFile`, and `TooBusy` while too many requests wait for files.
    """
    known = _cache.get(url)
    if known is not None:
        return known

    start = read_start(url)
    # The response for the first bytes of an empty file.
    is_empty = start.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    if not is_empty and start.status not in SUCCESS:
        raise UnreadableFile(f"its host answered {start.status}")

    result = False
    if not is_empty:
        result = start.content_type == _CONTENT_TYPE and _MAGIC in start.content
    _cache.set(url, result, seconds=_CACHE_SECONDS)
    return result
