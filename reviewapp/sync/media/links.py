"""Fresh links to a document's files: requested on demand, cached in this process, never stored."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from reviewapp.annotations.models import Annotation
from reviewapp.bounded_cache import MIB, BoundedCache
from reviewapp.mixpeek.exceptions import MixpeekError, NotFound, Refused
from reviewapp.retrievers.documents.media import File, files
from reviewapp.retrievers.models import Result
from reviewapp.storable import is_storable
from reviewapp.sync import interactive_limits
from reviewapp.sync.client import client
from reviewapp.sync.media import failure, pdf_check
from reviewapp.sync.media.file_start import UnreadableFile, read_start
from reviewapp.sync.request_budget import OutOfBudget

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

# Presigned URLs are valid for about an hour. They are secrets and stay out of the shared cache.
LINK_CACHE_SECONDS = 600
MISSING_CACHE_SECONDS = 120
# The files of a document by index, or the reason why there are none.
_links: BoundedCache[dict[int, File] | str] = BoundedCache(most_bytes=8 * MIB)
# A page loads all pictures of an item at once: one request fetches, the others wait for it.
_document_locks = [Lock() for _ in range(64)]
_PATTERN = re.compile(
    r"(?:(?P<scheme>https?)://)?"
    r"(?P<host>\*|(?:\*\.)?[a-z0-9.-]+|\[[0-9a-f:]+\])"
    r"(?::(?P<port>\d+|\*))?"
    r"(?P<path>/[^\s;,]*)?",
    re.IGNORECASE,
)
_PORTS = {"http": "80", "https": "443"}


class LinkUnavailable(Exception):
    """There is no link; `status` is the HTTP status of the response, `reason` a sentence.

    `retry_after` is in seconds, where a retry may help.
    """

    def __init__(self, *, status: int, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after


def framed_link(document_id: str, index: int, *, person: User) -> str:
    """Return a URL as `link` does, of a file whose content is a PDF, so that a page may frame it.

    Also raises `LinkUnavailable` with 415 for other content, and with 502 when the host does not
    serve the file.
    """
    url = link(document_id, index, person=person)

    try:
        is_pdf = pdf_check.is_pdf(url)
    except interactive_limits.TooBusy as error:
        raise LinkUnavailable(
            status=503,
            reason=error.message,
            retry_after=error.retry_after,
        ) from None
    except UnreadableFile as error:
        reason = _("The file cannot be shown now: %(error)s.") % {"error": error}
        raise LinkUnavailable(status=502, reason=reason) from None

    if not is_pdf:
        reason = _("This file is not a PDF, although it says so, and is not shown.")
        raise LinkUnavailable(status=415, reason=reason)
    return url


def link(document_id: str, index: int, *, person: User) -> str:
    """Return a URL that serves the file `index` (see `retrievers.documents.media.File`) right now.

    Only documents that are mirrored here are requested. Raises `LinkUnavailable`:

    - 403: the file's host is not among MEDIA_HOSTS
    - 404: there is no such file, or it is unavailable
    - 429: `person` has requested too often
    - 502: Mixpeek failed
    - 503: Mixpeek cannot be reached just now
    """
    file = _files(document_id, person).get(index)
    if file is None:
        raise LinkUnavailable(status=404, reason=_("The document no longer has this file."))
    if file.unavailable_reason:
        reason = _("Mixpeek cannot give this file: %(reason)s") % {
            "reason": file.unavailable_reason
        }
        raise LinkUnavailable(status=404, reason=reason)
    if urlsplit(file.url).scheme not in _PORTS:
        raise LinkUnavailable(status=404, reason=_("Mixpeek gave no link to this file."))
    if not is_allowed(file.url, settings.MEDIA_HOSTS):
        host = urlsplit(file.url).hostname
        reason = _(
            "Files on %(host)s are not shown, because the setting MEDIA_HOSTS does not list it."
        )
        raise LinkUnavailable(status=403, reason=reason % {"host": host})
    return file.url


def failure_reason(document_id: str, index: int, *, as_pdf: bool, person: User) -> str:
    """Return why a browser could not show the file, and what helps, as a sentence.

    A link that the file's host refuses is forgotten, so that the next one is new.
    """
    find_link = framed_link if as_pdf else link
    try:
        url = find_link(document_id, index, person=person)
        kind = "pdf" if as_pdf else _files(document_id, person)[index].kind
        start = read_start(url)
    except LinkUnavailable as error:
        return error.reason
    except interactive_limits.TooBusy as error:
        return error.message
    except UnreadableFile as error:
        sentence = _("The file cannot be shown now: %(error)s. Load it again in a moment.")
        return sentence % {"error": error}

    if start.status in failure.REFUSED:
        _links.delete(document_id)
    return failure.describe_failure(kind, start)


def clear_cache() -> None:
    """Clear the cache, as after a change of settings."""
    _links.clear()


def is_allowed(url: str, patterns: Sequence[str]) -> bool:
    """Return whether `url` matches one of the CSP-style `patterns`, like `https://*.example.com`.

    A pattern's path, like the bucket in `https://s3.example.com/bucket/`, matches as a prefix.
    """
    try:
        parts = urlsplit(url)
        scheme = parts.scheme
        host = (parts.hostname or "").rstrip(".")
        port = str(parts.port or _PORTS.get(scheme, ""))
    except ValueError:
        return False

    if not host or scheme not in _PORTS:
        return False
    # Browsers parse backslashes and user names differently than Python does.
    if "@" in parts.netloc or "\\" in url:
        return False
    return any(matches_pattern(pattern, scheme, host, port, parts.path) for pattern in patterns)


def matches_pattern(pattern: str, scheme: str, host: str, port: str, path: str) -> bool:
    """Return whether one pattern of MEDIA_HOSTS matches the parts of a URL."""
    match = _PATTERN.fullmatch(pattern)
    if match is None:
        return False

    allowed_schemes = {(match["scheme"] or "https").lower()}
    if "http" in allowed_schemes:
        # As in a Content-Security-Policy, http allows https as well.
        allowed_schemes.add("https")

    allowed_host = match["host"].lower().strip("[]")
    is_subdomain = allowed_host.startswith("*.") and host.endswith(allowed_host[1:])
    is_allowed_host = is_subdomain or allowed_host in {"*", host}

    allowed_port = match["port"] or _PORTS[scheme]
    is_allowed_port = allowed_port in {"*", port}

    return (
        scheme in allowed_schemes
        and is_allowed_host
        and is_allowed_port
        and is_under(path, match["path"] or "/")
    )


def is_under(path: str, prefix: str) -> bool:
    """Return whether a browser that is sent to `path` requests something below `prefix`."""
    if prefix == "/":
        return True

    # Browsers resolve dot segments, quoted ones too.
    segments = unquote(path).replace("\\", "/").split("/")
    if "." in segments or ".." in segments:
        return False
    if not prefix.endswith("/"):
        prefix = f"{prefix}/"
    return path.startswith(prefix)


def _files(document_id: str, person: User) -> dict[int, File]:
    """Return a document's files with fresh links, by index, from the cache or from Mixpeek."""
    entry = _links.get(document_id)
    if entry is None:
        # No column can hold a character that is not storable.
        is_mirrored = is_storable(document_id) and (
            Annotation.objects.filter(document_id=document_id).exists()
            or Result.objects.filter(document_id=document_id).exists()
        )
        if not is_mirrored:
            raise LinkUnavailable(status=404, reason=_("This document does not exist here."))
        entry = _fetch_within_limits(document_id, person)

    if isinstance(entry, str):
        raise LinkUnavailable(status=404, reason=entry)
    return entry


def _fetch_within_limits(document_id: str, person: User) -> dict[int, File] | str:
    """Fetch a document's files unless another thread has; raises `LinkUnavailable`."""
    try:
        with interactive_limits.FILES.entered(), _locked(document_id):
            entry = _links.get(document_id)
            if entry is None:
                entry = _fetch(document_id, person)
            return entry
    except interactive_limits.ShareSpent as error:
        raise LinkUnavailable(
            status=429,
            reason=error.message,
            retry_after=error.retry_after,
        ) from None
    except (interactive_limits.TooBusy, OutOfBudget) as error:
        raise LinkUnavailable(
            status=503,
            reason=error.message,
            retry_after=error.retry_after or 1,
        ) from None
    except MixpeekError as error:
        reason = _("The file cannot be shown now: %(error)s") % {"error": error.message}
        raise LinkUnavailable(status=502, reason=reason) from None


@contextmanager
def _locked(document_id: str) -> Iterator[None]:
    """Let one thread at a time fetch a document; raises `TooBusy` after the timeout of a fetch."""
    number = zlib.crc32(document_id.encode(errors="replace")) % len(_document_locks)
    lock = _document_locks[number]
    if not lock.acquire(timeout=settings.MIXPEEK_PAGE_TIMEOUT):
        raise interactive_limits.TooBusy(
            _("Mixpeek is slow to answer. Try again in a moment."),
            retry_after=1.0,
        )
    try:
        yield
    finally:
        lock.release()


def _fetch(document_id: str, person: User) -> dict[int, File] | str:
    """Request a document from Mixpeek and cache its files, or the reason why there are none.

    Raises `MixpeekError` when there was no reply.
    """
    try:
        with interactive_limits.interactive_requests(person):
            batch = client(impatient=True).batch_get_documents([document_id])
    except (NotFound, Refused):
        return _cache_missing(document_id, _("Mixpeek has no document with this id."))

    if not batch.found:
        return _cache_missing(document_id, _("Mixpeek no longer has this document."))

    by_index = {file.index: file for file in files(batch.found[0].body)}
    _links.set(document_id, by_index, seconds=LINK_CACHE_SECONDS)
    return by_index


def _cache_missing(document_id: str, reason: str) -> str:
    _links.set(document_id, reason, seconds=MISSING_CACHE_SECONDS)
    return reason
