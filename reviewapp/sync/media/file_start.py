"""Read the first bytes of a document's file at its host, bounded in size, time and number."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

import requests
from django.conf import settings
from django.utils.translation import gettext as _
from urllib3.exceptions import HTTPError

from reviewapp.deadline import Deadline, DeadlineAdapter
from reviewapp.mixpeek.transport import on_loopback
from reviewapp.sync import interactive_limits

# In bytes: PDF readers accept a header that begins a little later.
LENGTH = 1024
SUCCESS = {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}


class UnreadableFile(Exception):
    """The host did not give the file."""


@dataclass(frozen=True, kw_only=True)
class FileStart:
    """What a host answered: a status, the content type without parameters, the first bytes.

    The last two are empty unless the status is among `SUCCESS`.
    """

    status: int
    content_type: str = ""
    content: bytes = b""


def read_start(url: str) -> FileStart:
    """Return the start of the file at `url`, which must be on an allowed host.

    Raises `UnreadableFile` if the host does not answer, and `TooBusy` while too many requests wait
    for files.
    """
    with interactive_limits.FILES.entered():
        return _request_start(url)


def _request_start(url: str) -> FileStart:
    seconds = settings.MIXPEEK_PAGE_TIMEOUT
    headers = {"Range": f"bytes=0-{LENGTH - 1}", "Accept-Encoding": "identity"}
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
                if response.status_code not in SUCCESS:
                    return FileStart(status=response.status_code)

                content_type = response.headers.get("Content-Type", "").partition(";")[0]
                content = response.raw.read(LENGTH)
    except (requests.RequestException, HTTPError, OSError) as error:
        raise UnreadableFile(_("its host did not answer")) from error

    if deadline.has_passed:
        raise UnreadableFile(_("its host did not answer in time"))
    return FileStart(
        status=response.status_code,
        content_type=content_type.strip().lower(),
        content=content,
    )
