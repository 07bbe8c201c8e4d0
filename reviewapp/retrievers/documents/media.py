"""The media of a document (images, videos, audio, PDFs), and which file to show for each. Pure.

A medium may exist as source, processed and thumbnail. An image is shown by its thumbnail, else
processed, else source, and links to the full one; any other medium by its processed file, else its
source, with the thumbnail as poster.
"""

from __future__ import annotations

import mimetypes
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from reviewapp.retrievers.documents.layout import blobs, layers, leaves, number_at

_STARTS = ("start_time", "start_time_sec", "start_seconds", "start_sec", "segment_start")
_ENDS = ("end_time", "end_time_sec", "end_seconds", "end_sec", "segment_end")
_URL_ENDINGS = ("url", "uri", "urls", "uris")
_DERIVED_ROLES = {"processed", "thumbnail"}


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of a document.

    `index` is a stable id, derived from the file's identity and not from its position. `url` is the
    presigned URL (a secret) if the document has one, else the canonical URL, which may be `s3://`.
    """

    index: int
    kind: str
    name: str
    mime: str
    role: str
    field: str
    url: str
    unavailable_reason: str

    @classmethod
    def from_blob(cls, blob: Mapping[str, Any]) -> File:
        """Return the file that Mixpeek describes in a blob."""
        field = _text(blob, "field")
        role = _text(blob, "role") or "source"
        url = _text(blob, "url")
        name = _text(blob, "filename") or PurePosixPath(unquote(_path(url))).name or field
        mime = _text(blob, "content_type") or mimetypes.guess_type(name)[0] or ""
        return cls(
            index=_index(field, role, _without_query(url)),
            kind=_kind(_text(blob, "type"), mime),
            name=name,
            mime=mime,
            role=role,
            field=field,
            url=_text(blob, "presigned_url") or url,
            unavailable_reason=_text(blob, "unavailable_reason"),
        )


@dataclass(frozen=True, kw_only=True)
class Medium:
    """One medium; `kind` is image, video, audio, pdf or file; times are in seconds.

    `index` is the file to show, `full` the best file to zoom into, `poster` the still image of a
    video that is not playing.
    """

    kind: str
    index: int
    name: str
    mime: str
    start: float | None = None
    end: float | None = None
    unavailable_reason: str = ""
    full: int | None = None
    poster: int | None = None

    @classmethod
    def from_files(
        cls,
        group: Sequence[File],
        segment: tuple[float | None, float | None],
    ) -> Medium:
        """Return the medium of a source and the files derived from it.

        `segment` is the part of the medium, start and end, that the document is about.
        """
        originals = [file for file in group if file.role != "thumbnail"]
        kind = originals[0].kind if originals else group[0].kind

        full = None
        poster = None
        if kind == "image":
            shown = _best(group, ("thumbnail", "processed", "source")) or group[0]
            full = _best(group, ("source", "processed"))
        else:
            shown = _best(group, ("processed", "source")) or group[0]
        if kind == "video":
            poster = _best(group, ("thumbnail",))

        # A processed file is the segment itself; in the source, playing starts at the segment.
        start, end = None, None
        if kind in {"video", "audio"} and shown.role != "processed":
            start, end = segment

        return cls(
            kind=kind,
            index=shown.index,
            name=shown.name,
            mime=shown.mime,
            start=start,
            end=end,
            unavailable_reason=shown.unavailable_reason,
            full=full.index if full else None,
            poster=poster.index if poster and not poster.unavailable_reason else None,
        )

    @property
    def still(self) -> int | None:
        """The file of an image, or the poster of a video; None if there is neither."""
        if self.unavailable_reason:
            return None
        if self.kind == "image":
            return self.index
        return self.poster


def media(document: Mapping[str, Any]) -> list[Medium]:
    """Return the media of a document: one for each source and the files derived from it.

    A derived file without a source is a medium of its own.
    """
    listed = list(files(document))
    groups = [[file] for file in listed if file.role not in _DERIVED_ROLES]
    for file in listed:
        if file.role not in _DERIVED_ROLES:
            continue

        matching = [group for group in groups if group[0].field == file.field]
        if matching:
            matching[0].append(file)
        elif len(groups) == 1:
            groups[0].append(file)
        else:
            groups.append([file])

    segment = (number_at(document, *_STARTS), number_at(document, *_ENDS))
    return [Medium.from_files(group, segment) for group in groups]


def files(document: Mapping[str, Any]) -> Iterator[File]:
    """Yield every file of a document once: its blobs, then fields that hold the URL of a medium."""
    best: dict[int, File] = {}
    for file in (*map(File.from_blob, blobs(document)), *_field_files(document)):
        # The same file may be listed twice, with its presigned URL in only one of the places.
        if file.index not in best or (file.url and not best[file.index].url):
            best[file.index] = file

    blob_urls = set()
    for file in best.values():
        if file.role != "field" and file.url:
            blob_urls.add(_without_query(file.url))

    for file in best.values():
        if file.role != "field" or _without_query(file.url) not in blob_urls:
            yield file


def _field_files(document: Mapping[str, Any]) -> Iterator[File]:
    for layer, fields in layers(document):
        for path, value in leaves(fields):
            if not path.lower().endswith(_URL_ENDINGS):
                continue
            if isinstance(value, str):
                yield from _linked_file(path, value, index=_index(layer, "field", path))
                continue
            if not isinstance(value, list):
                continue
            for url in value:
                if isinstance(url, str):
                    index = _index(layer, "field", path, _without_query(url))
                    yield from _linked_file(path, url, index=index)


def _linked_file(field: str, url: str, *, index: int) -> Iterator[File]:
    """Yield the file at a URL if its name is that of a medium."""
    name = PurePosixPath(unquote(_path(url))).name
    mime = mimetypes.guess_type(name)[0] or ""
    kind = _kind("", mime)
    if kind != "file":
        yield File(
            index=index,
            kind=kind,
            name=name,
            mime=mime,
            role="field",
            field=field,
            url=url,
            unavailable_reason="",
        )


def _best(group: Sequence[File], roles: Sequence[str]) -> File | None:
    """Return the first available file by the order of `roles`, else the first one."""
    first = None
    for role in roles:
        for file in group:
            if file.role != role:
                continue
            if not file.unavailable_reason:
                return file
            first = first or file
    return first


def _kind(declared: str, mime: str) -> str:
    if mime == "application/pdf" or declared == "pdf":
        return "pdf"
    for kind in (declared.lower(), mime.partition("/")[0]):
        if kind in {"image", "video", "audio"}:
            return kind
    return "file"


def _index(*identity: str) -> int:
    return zlib.crc32("\n".join(identity).encode(errors="replace"))


def _without_query(url: str) -> str:
    return url.partition("?")[0].partition("#")[0]


def _path(url: str) -> str:
    """Return the path of a URL, "" if it is not valid."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _text(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    if isinstance(value, str):
        return value
    return ""
