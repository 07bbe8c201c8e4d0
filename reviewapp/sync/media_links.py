"""Fresh links to a document's files: asked for when somebody looks, kept for minutes in this process, never stored."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from django.conf import settings

from reviewapp.annotations.models import Annotation
from reviewapp.bounded_cache import MIB, BoundedCache
from reviewapp.mixpeek.exceptions import MixpeekError, NotFound, Refused
from reviewapp.retrievers.documents.media import File, files
from reviewapp.retrievers.documents.snapshot import UNSTORABLE
from reviewapp.retrievers.models import Result
from reviewapp.sync import interactive_limits, pdf_check
from reviewapp.sync.client import client
from reviewapp.sync.rate_limited_client import OutOfBudget

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

# Presigned URLs live for about an hour. They are secrets, so they stay in memory and out of the shared cache.
KEPT_FOR = 600
# That a document is not there is believed for a shorter while.
MISSING_FOR = 120
# The files of a document by index, or the sentence that says why there are none.
_links: BoundedCache[dict[int, File] | str] = BoundedCache(most_bytes=8 * MIB)
# The pictures of one item come at once: one of them asks, the others wait for its answer.
_reading = [Lock() for _ in range(64)]
_PATTERN = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\*|(?:\*\.)?[a-z0-9.-]+|\[[0-9a-f:]+\])(?::(?P<port>\d+|\*))?"
    r"(?P<path>/[^\s;,]*)?",
    re.IGNORECASE,
)
_PORTS = {"http": "80", "https": "443"}


class NoLink(Exception):
    """There is no link to give; `status` is the HTTP status that says so and `reason` a sentence for a person.

    `retry_after` is in seconds, where asking again may help.
    """

    def __init__(self, *, status: int, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.retry_after = status, reason, retry_after


def framed_link(document_id: str, index: int, *, person: User) -> str:
    """Return a URL as `link` does, of a file that is a PDF indeed, so that a page may frame it.

    Raises `NoLink` also with 415 when it is something else, 502 when its host does not give it.
    """
    url = link(document_id, index, person=person)

    try:
        is_pdf = pdf_check.is_pdf(url)
    except interactive_limits.TooBusy as error:
        raise NoLink(status=503, reason=error.message, retry_after=error.retry_after) from None
    except pdf_check.Unreadable as error:
        raise NoLink(status=502, reason=f"The file cannot be shown now: {error}.") from None

    if not is_pdf:
        raise NoLink(status=415, reason="This file calls itself a PDF and is none, so it is not shown here.")
    return url


def link(document_id: str, index: int, *, person: User) -> str:
    """Return a URL that serves the file `index` (see `retrievers.medium.File`) of a document right now.

    Only documents that are mirrored here are asked for. Raises `NoLink`: 404 when there is no such file or it is
    unavailable, 403 when its host is not among MEDIA_HOSTS, 429 when `person` has asked too often, 502 when Mixpeek
    failed, 503 when it cannot be asked just now.
    """
    file = _files(document_id, person).get(index)
    if file is None:
        raise NoLink(status=404, reason="The document does not have this file any more.")
    if file.unavailable_reason:
        raise NoLink(status=404, reason=f"Mixpeek cannot give this file: {file.unavailable_reason}")
    if urlsplit(file.url).scheme not in _PORTS:
        raise NoLink(status=404, reason="Mixpeek gave no link to this file.")
    if not allowed(file.url, settings.MEDIA_HOSTS):
        host = urlsplit(file.url).hostname
        raise NoLink(
            status=403, reason=f"Files on {host} are not shown here: the setting MEDIA_HOSTS does not list it."
        )
    return file.url


def forget() -> None:
    """Ask Mixpeek anew for every link from now on, as after a change of settings."""
    _links.clear()


def allowed(url: str, patterns: Sequence[str]) -> bool:
    """Return whether `url` matches one of the CSP-style `patterns`, like `https://*.example.com`.

    A pattern's path, like the bucket in `https://s3.example.com/bucket/`, matches what begins with it.
    """
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, (parts.hostname or "").rstrip(".")
        port = str(parts.port or _PORTS.get(scheme, ""))
    except ValueError:
        return False
    # A browser reads backslashes and users differently than we do: such a URL is nobody's honest link.
    if not host or "@" in parts.netloc or "\\" in url or scheme not in _PORTS:
        return False
    return any(_matches(pattern, scheme, host, port, parts.path) for pattern in patterns)


def _matches(pattern: str, scheme: str, host: str, port: str, path: str) -> bool:
    match = _PATTERN.fullmatch(pattern)
    if match is None or not _is_under(path, match["path"] or "/"):
        return False
    wanted_scheme = (match["scheme"] or "https").lower()
    wanted, wanted_port = match["host"].lower().strip("[]"), match["port"]
    same_host = wanted in {"*", host} or (wanted.startswith("*.") and host.endswith(wanted[1:]))
    same_port = wanted_port in {"*", port} or (wanted_port is None and port == _PORTS[scheme])
    return same_host and same_port and (scheme == wanted_scheme or (scheme == "https" and wanted_scheme == "http"))


def _is_under(path: str, wanted: str) -> bool:
    """Return whether a browser that is sent to `path` asks for `wanted` or something below it."""
    if wanted == "/":
        return True

    # A browser goes up by itself, also where the dots are quoted.
    steps = unquote(path).replace("\\", "/").split("/")
    if "." in steps or ".." in steps:
        return False
    return path.startswith(wanted if wanted.endswith("/") else f"{wanted}/")


def _files(document_id: str, person: User) -> dict[int, File]:
    """Return a document's files with fresh links, by index; asks Mixpeek once in `KEPT_FOR` seconds."""
    found = _links.get(document_id)

    if found is None:
        _check_mirrored(document_id)
        try:
            with interactive_limits.FILES.entered(), _alone_with(document_id):
                found = _links.get(document_id)
                if found is None:
                    found = _read(document_id, person)
        except interactive_limits.ShareSpent as error:
            raise NoLink(status=429, reason=error.message, retry_after=error.retry_after) from None
        except (interactive_limits.TooBusy, OutOfBudget) as error:
            raise NoLink(status=503, reason=error.message, retry_after=error.retry_after or 1) from None
        except MixpeekError as error:
            raise NoLink(status=502, reason=f"The file cannot be shown now: {error.message}") from None

    if isinstance(found, str):
        raise NoLink(status=404, reason=found)
    return found


def _check_mirrored(document_id: str) -> None:
    """Raise `NoLink` for a document that nobody was ever shown here."""
    # A character that no column holds is in no document of ours.
    is_possible = not UNSTORABLE.search(document_id)
    is_mirrored = is_possible and (
        Annotation.objects.filter(document_id=document_id).exists()
        or Result.objects.filter(document_id=document_id).exists()
    )
    if not is_mirrored:
        raise NoLink(status=404, reason="There is no such document here.")


@contextmanager
def _alone_with(document_id: str) -> Iterator[None]:
    """Let one thread at a time read a document; raises `TooBusy` after waiting as long as that one may take."""
    lock = _reading[zlib.crc32(document_id.encode(errors="replace")) % len(_reading)]
    if not lock.acquire(timeout=settings.MIXPEEK_PAGE_TIMEOUT):
        raise interactive_limits.TooBusy("Mixpeek takes long to answer. Try again in a moment.", retry_after=1.0)
    try:
        yield
    finally:
        lock.release()


def _read(document_id: str, person: User) -> dict[int, File] | str:
    """Ask Mixpeek for a document and remember what came of it; raises `MixpeekError` when there was no answer."""
    try:
        with interactive_limits.asking(person):
            batch = client(impatient=True).batch_get_documents([document_id])
    except (NotFound, Refused):
        return _missing(document_id, "Mixpeek does not know this document.")

    if not batch.found:
        return _missing(document_id, "The document is not at Mixpeek any more.")

    found = {file.index: file for file in files(batch.found[0].body)}
    _links.set(document_id, found, seconds=KEPT_FOR)
    return found


def _missing(document_id: str, reason: str) -> str:
    _links.set(document_id, reason, seconds=MISSING_FOR)
    return reason
