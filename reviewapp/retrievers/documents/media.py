"""The pictures, films, sounds and papers of a document, and which file to show for each of them. Pure.

Of a thing that exists as source, processed and thumbnail we show: an image by its thumbnail, else processed, else
source (with the full one behind it); anything else by its processed file, else its source, under its thumbnail.
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


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of a document. `index` names it for good: made of what the file is, not of where it stands.

    `url` is the presigned one (a secret) where the document brought one, else the canonical one, which may be `s3://`.
    """

    index: int
    kind: str
    name: str
    mime: str
    role: str
    field: str
    url: str
    unavailable_reason: str


@dataclass(frozen=True, kw_only=True)
class Medium:
    """One thing to look at or listen to: `kind` is image, video, audio, pdf or file; times in seconds.

    `index` is the file to show, `full` the best one to zoom into, `poster` the still to show before a film plays.
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

    @property
    def still(self) -> int | None:
        """The file of a picture, or of the still before a film; None where there is nothing to show."""
        if self.unavailable_reason:
            return None
        return self.index if self.kind == "image" else self.poster


def media(document: Mapping[str, Any]) -> list[Medium]:
    """Return what there is to look at, one entry for each thing and not for each file."""
    groups = _groups(list(files(document)))
    span = number_at(document, *_STARTS), number_at(document, *_ENDS)
    return [_medium(group, span) for group in groups]


def files(document: Mapping[str, Any]) -> Iterator[File]:
    """Yield every file of a document once: its blobs, then fields that hold the URL of a medium."""
    best: dict[int, File] = {}
    for file in (*map(_of_blob, blobs(document)), *_of_fields(document)):
        # The same file may stand in two places, with its presigned URL in only one of them.
        if file.index not in best or (file.url and not best[file.index].url):
            best[file.index] = file
    places = {_place(file.url) for file in best.values() if file.role != "field" and file.url}
    yield from (file for file in best.values() if file.role != "field" or _place(file.url) not in places)


def _of_blob(blob: Mapping[str, Any]) -> File:
    field, role, url = _text(blob, "field"), _text(blob, "role") or "source", _text(blob, "url")
    name = _text(blob, "filename") or PurePosixPath(unquote(_path(url))).name or field
    mime = _text(blob, "content_type") or mimetypes.guess_type(name)[0] or ""
    return File(
        index=_index(field, role, _place(url)),
        kind=_kind(_text(blob, "type"), mime),
        name=name,
        mime=mime,
        role=role,
        field=field,
        url=_text(blob, "presigned_url") or url,
        unavailable_reason=_text(blob, "unavailable_reason"),
    )


def _of_fields(document: Mapping[str, Any]) -> Iterator[File]:
    for layer, fields in layers(document):
        for path, value in leaves(fields):
            if not isinstance(value, str) or not path.lower().endswith(("url", "uri")) or "," in value:
                continue
            name = PurePosixPath(unquote(_path(value))).name
            mime = mimetypes.guess_type(name)[0] or ""
            if _kind("", mime) != "file":
                yield File(
                    index=_index(layer, "field", path),
                    kind=_kind("", mime),
                    name=name,
                    mime=mime,
                    role="field",
                    field=path,
                    url=value,
                    unavailable_reason="",
                )


def _groups(found: Sequence[File]) -> list[list[File]]:
    """Gather the files of one thing: a source with what was made of it; strangers stand alone."""
    own = [[file] for file in found if file.role not in {"processed", "thumbnail"}]
    for file in found:
        if file.role in {"processed", "thumbnail"}:
            same = [group for group in own if group[0].field == file.field]
            target = same or (own if len(own) == 1 else [])
            if target:
                target[0].append(file)
            else:
                own.append([file])
    return own


def _medium(group: Sequence[File], span: tuple[float | None, float | None]) -> Medium:
    kind = next((file.kind for file in group if file.role != "thumbnail"), group[0].kind)
    thumbnail = _best(group, ("thumbnail",))
    order = ("thumbnail", "processed", "source") if kind == "image" else ("processed", "source")
    shown = _best(group, order) or group[0]
    full = _best(group, ("source", "processed")) if kind == "image" else None
    # A processed film is the segment already; only in the source must one go to the segment's place.
    start, end = span if kind in {"video", "audio"} and shown.role != "processed" else (None, None)
    return Medium(
        kind=kind,
        index=shown.index,
        name=shown.name,
        mime=shown.mime,
        start=start,
        end=end,
        unavailable_reason=shown.unavailable_reason,
        full=full.index if full else None,
        poster=thumbnail.index if thumbnail and kind == "video" and not thumbnail.unavailable_reason else None,
    )


def _best(group: Sequence[File], roles: Sequence[str]) -> File | None:
    ranked = [file for role in roles for file in group if file.role == role]
    return next((file for file in ranked if not file.unavailable_reason), ranked[0] if ranked else None)


def _kind(given: str, mime: str) -> str:
    if mime == "application/pdf" or given == "pdf":
        return "pdf"
    major = mime.partition("/")[0]
    return next((kind for kind in (given.lower(), major) if kind in {"image", "video", "audio"}), "file")


def _index(*identity: str) -> int:
    return zlib.crc32("\n".join(identity).encode(errors="replace"))


def _place(url: str) -> str:
    return url.partition("?")[0].partition("#")[0]


def _path(url: str) -> str:
    """Return the path of a URL, or nothing when it is none."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _text(holder: Mapping[str, Any], key: str) -> str:
    found = holder.get(key)
    return found if isinstance(found, str) else ""
