"""Check whether a file is a PDF before a page frames it: by its content, not by its name.

A frame shows any content, and an HTML page would run its scripts there. Browsers show no PDF in a
frame with the attribute `sandbox` (https://github.com/whatwg/html/issues/3958), hence this check.
"""

from __future__ import annotations

import requests
from django.conf import settings
from urllib3.exceptions import HTTPError

from reviewapp.bounded_cache import MIB, BoundedCache
from reviewapp.deadline import Deadline, DeadlineAdapter
from reviewapp.mixpeek.transport import on_loopback
from reviewapp.sync import interactive_limits

_MAGIC = b"%PDF-"
_CONTENT_TYPE = "application/pdf"
# In bytes: PDF readers accept a header that begins a little later.
_HEADER_LENGTH = 1024
_CACHE_SECONDS = 60
# The response for the first bytes of an empty file.
_RANGE_NOT_SATISFIABLE = 416
_cache: BoundedCache[bool] = BoundedCache(most_bytes=MIB)


class UnreadableFile(Exception):
    """The host did not give the file."""


def is_pdf(url: str) -> bool:
    """Return whether the file at `url` has a PDF's content type and header.

    `url` must be on an allowed host. Reads the first bytes, at most once a minute. Raises
    `UnreadableFile`, and `TooBusy` while too many requests wait for files.
    """
    result = _cache.get(url)
    if result is None:
        with interactive_limits.FILES.entered():
            result = _check(url)
        _cache.set(url, result, seconds=_CACHE_SECONDS)
    return result


def _check(url: str) -> bool:
    seconds = settings.MIXPEEK_PAGE_TIMEOUT
    headers = {"Range": f"bytes=0-{_HEADER_LENGTH - 1}", "Accept-Encoding": "identity"}
    # The timeouts bound each read only: a host may send a byte before each.
    deadline = Deadline(seconds)

    try:
        with requests.Session() as session, deadline:
            session.trust_env = not on_loopback(url)
            session.mount("https://", DeadlineAdapter())
            session.mount("http://", DeadlineAdapter())
            with session.get(
                url,
                headers=headers,
                timeout=(seconds / 2, seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                if response.status_code == _RANGE_NOT_SATISFIABLE:
                    return False
                if response.status_code not in {200, 206}:
                    raise UnreadableFile(f"its host answered {response.status_code}")

                content_type = response.headers.get("Content-Type", "").partition(";")[0]
                header = response.raw.read(_HEADER_LENGTH)
    except (requests.RequestException, HTTPError, OSError) as error:
        raise UnreadableFile("its host did not answer") from error

    if deadline.has_passed:
        raise UnreadableFile("its host did not answer in time")
    return content_type.strip().lower() == _CONTENT_TYPE and _MAGIC in header
