"""Fresh links to a document's files: asked for when somebody looks, kept for minutes in this process, never stored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache.backends.locmem import LocMemCache

from reviewapp.mixpeek.exceptions import MixpeekError, NotFound, Refused
from reviewapp.retrievers.medium import File, files
from reviewapp.sync.client import client

# Presigned URLs live for about an hour. They are secrets, so they stay in memory and out of the shared cache.
KEPT_FOR = 600
_links = LocMemCache("media-links", {"timeout": KEPT_FOR, "OPTIONS": {"MAX_ENTRIES": 1000}})
_PATTERN = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\*|(?:\*\.)?[a-z0-9.-]+|\[[0-9a-f:]+\])(?::(?P<port>\d+|\*))?/?"
)
_PORTS = {"http": "80", "https": "443"}


class NoLink(Exception):
    """There is no link to give; `status` is the HTTP status that says so and `reason` a sentence for a person."""

    def __init__(self, *, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


def link(document_id: str, index: int) -> str:
    """Return a URL that serves the file `index` (see `retrievers.medium.File`) of a document right now.

    Raises `NoLink`: 404 when there is no such file or it is unavailable, 403 when its host is not among MEDIA_HOSTS,
    502 when Mixpeek cannot be asked.
    """
    file = _files(document_id).get(index)
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
    """Return whether the origin of `url` matches one of the CSP-style host `patterns`, like `https://*.example.com`."""
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, (parts.hostname or "").rstrip(".")
        port = str(parts.port or _PORTS.get(scheme, ""))
    except ValueError:
        return False
    # A browser reads backslashes and users differently than we do: such a URL is nobody's honest link.
    if not host or "@" in parts.netloc or "\\" in url or scheme not in _PORTS:
        return False
    return any(_matches(pattern.lower(), scheme, host, port) for pattern in patterns)


def _matches(pattern: str, scheme: str, host: str, port: str) -> bool:
    match = _PATTERN.fullmatch(pattern)
    if match is None:
        return False
    wanted_scheme, wanted, wanted_port = match["scheme"] or "https", match["host"].strip("[]"), match["port"]
    same_host = wanted in {"*", host} or (wanted.startswith("*.") and host.endswith(wanted[1:]))
    same_port = wanted_port in {"*", port} or (wanted_port is None and port == _PORTS[scheme])
    return same_host and same_port and (scheme == wanted_scheme or (scheme == "https" and wanted_scheme == "http"))


def _files(document_id: str) -> dict[int, File]:
    """Return a document's files with fresh links, by index; asks Mixpeek once in `KEPT_FOR` seconds."""
    key = document_id.encode().hex()
    found: dict[int, File] | None = _links.get(key)
    if found is None:
        found = {file.index: file for file in files(_document(document_id))}
        _links.set(key, found)
    return found


def _document(document_id: str) -> dict[str, object]:
    try:
        batch = client().batch_get_documents([document_id])
    except (NotFound, Refused):
        raise NoLink(status=404, reason="Mixpeek does not know this document.") from None
    except MixpeekError as error:
        raise NoLink(status=502, reason=f"The file cannot be shown now: {error.message}") from None
    if not batch.found:
        raise NoLink(status=404, reason="The document is not at Mixpeek any more.")
    return batch.found[0].body
