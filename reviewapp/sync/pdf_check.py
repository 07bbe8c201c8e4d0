"""Whether a file that a page would frame is a PDF: judged by what its host sends, not by its name.

A frame shows whatever comes, and an HTML page would run its scripts there. Browsers show no PDF in a frame with the
attribute `sandbox` (https://github.com/whatwg/html/issues/3958), so the file itself is looked at before it is framed.
"""

from __future__ import annotations

import requests
from django.conf import settings

from reviewapp.bounded_cache import MIB, BoundedCache
from reviewapp.mixpeek.transport import on_loopback
from reviewapp.sync import interactive_limits

_MAGIC, _TYPE = b"%PDF-", "application/pdf"
# Readers take a PDF whose first line comes a little later; a browser goes by the type alone.
_LOOKED_AT = 1024
_HOLDS = 60
# What a host says of the first bytes of an empty file.
_NOTHING_THERE = 416
_checked: BoundedCache[bool] = BoundedCache(most_bytes=MIB)


class Unreadable(Exception):
    """The host did not give the file."""


def is_pdf(url: str) -> bool:
    """Return whether the file at `url` has a PDF's type and begins as one; `url` must be on an allowed host.

    Its first bytes are read, at most once a minute. Raises `Unreadable`, and `TooBusy` while too many wait for files.
    """
    known = _checked.get(url)
    if known is None:
        with interactive_limits.FILES.entered():
            known = _look(url)
        _checked.set(url, known, seconds=_HOLDS)
    return known


def _look(url: str) -> bool:
    seconds = settings.MIXPEEK_PAGE_TIMEOUT
    headers = {"Range": f"bytes=0-{_LOOKED_AT - 1}", "Accept-Encoding": "identity"}

    try:
        with requests.Session() as session:
            session.trust_env = not on_loopback(url)
            with session.get(
                url, headers=headers, timeout=(seconds / 2, seconds), allow_redirects=False, stream=True
            ) as response:
                if response.status_code == _NOTHING_THERE:
                    return False
                if response.status_code not in {200, 206}:
                    raise Unreadable(f"its host answered {response.status_code}")

                kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                beginning = response.raw.read(_LOOKED_AT)
    except (requests.RequestException, OSError) as error:
        raise Unreadable("its host did not answer") from error

    return kind == _TYPE and _MAGIC in beginning
