"""Evidence for a reviewer: a snapshot, sorted into title, texts, media, fields and source. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from reviewapp.retrievers.documents.highlight import Piece, mark_words
from reviewapp.retrievers.documents.layout import (
    format_leaf,
    format_scalar,
    internal,
    layers,
    leaves,
    text_at,
    text_leaves,
)
from reviewapp.retrievers.documents.media import Medium, files, media
from reviewapp.retrievers.documents.snapshot import CUT

MAX_TITLE_LENGTH = 200
MAX_EXCERPT_LENGTH = 300
MAX_SEARCH_TEXT_LENGTH = 20_000
MAX_EVIDENCE_FIELDS = 300
_MAX_EXCERPT_FIELDS = 8
_MAX_SOURCE_FIELDS = 50

_TITLES = ("title", "name", "headline", "subject", "filename", "file_name", "original_filename")
_PROSE_FIELDS = {
    "abstract", "body", "caption", "comment", "content", "description", "message", "note", "notes",
    "ocr", "ocr_text", "summary", "text", "transcript", "transcription",
}  # fmt: skip
# Longer values are prose, whatever their name.
_MAX_FIELD_LENGTH = 160


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The evidence in plain values, to be shown as text and never as HTML.

    `texts` are (name, pieces) with the words of the query marked, `fields` and `source` are
    (path, value). `cut` says why this is not the whole document, and is usually "".
    """

    title: str
    texts: list[tuple[str, list[Piece]]]
    media: list[Medium]
    fields: list[tuple[str, str]]
    source: list[tuple[str, str]]
    cut: str = ""


def evidence(snapshot: Mapping[str, Any], *, query_words: Iterable[str] = ()) -> Evidence:
    """Sort a snapshot in any of Mixpeek's layouts into evidence."""
    words = tuple(query_words)
    texts = []
    for name, text in _texts(snapshot):
        texts.append((name, mark_words(text, words)))

    return Evidence(
        title=document_title(snapshot),
        texts=texts,
        media=media(snapshot),
        fields=list(islice(_fields(snapshot), MAX_EVIDENCE_FIELDS)),
        source=list(_source(snapshot)),
        cut=format_scalar(snapshot.get(CUT)),
    )


def document_title(snapshot: Mapping[str, Any]) -> str:
    """Return a one-line title, at most `MAX_TITLE_LENGTH` characters; "" for an empty one."""
    title = text_at(snapshot, *_TITLES)
    if not title:
        title = next((file.name for file in files(snapshot) if file.name), "")
    if not title:
        title = _first_text(snapshot) or format_scalar(snapshot.get("document_id"))
    return _line(title, MAX_TITLE_LENGTH)


def document_excerpt(snapshot: Mapping[str, Any]) -> str:
    """Return the start of the first text, else of the fields: `MAX_EXCERPT_LENGTH` characters."""
    excerpt = _first_text(snapshot)
    if not excerpt:
        fields = islice(_fields(snapshot), _MAX_EXCERPT_FIELDS)
        excerpt = " · ".join(f"{path}: {value}" for path, value in fields)
    return _line(excerpt, MAX_EXCERPT_LENGTH)


def document_values(snapshot: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts and fields of a document by path; fields up to `MAX_EVIDENCE_FIELDS`."""
    values = dict(_texts(snapshot))
    values.update(islice(_fields(snapshot), MAX_EVIDENCE_FIELDS))
    return values


def document_search_text(snapshot: Mapping[str, Any]) -> str:
    """Return the text to search the document by, at most `MAX_SEARCH_TEXT_LENGTH` characters."""
    fields = []
    texts = []
    for _, value, is_prose in _values(snapshot):
        if is_prose:
            texts.append(value)
        else:
            fields.append(value)
    return _line(" ".join([*fields, *texts]), MAX_SEARCH_TEXT_LENGTH)


def _first_text(snapshot: Mapping[str, Any]) -> str:
    for _, text in _texts(snapshot):
        return text
    return ""


def _texts(snapshot: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path, value, is_prose in _values(snapshot):
        if is_prose:
            yield path, value


def _fields(snapshot: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path, value, is_prose in _values(snapshot):
        if not is_prose:
            yield path, value


def _values(snapshot: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Yield (path, value, is_prose) without blanks and duplicates."""
    seen: dict[str, str] = {}
    for layer, fields in layers(snapshot):
        for path, raw in leaves(fields):
            value = format_leaf(raw)
            if not value.strip() or seen.get(path) == value:
                continue
            name = f"{layer}.{path}" if path in seen and layer else path
            seen[name] = value
            yield name, value, isinstance(raw, str | list) and is_prose(path, value)


def is_prose(path: str, value: str) -> bool:
    """Return whether a value is text to read, and not a field beside others."""
    if "://" in value[:20]:
        return False
    if "\n" in value.strip() or len(value) > _MAX_FIELD_LENGTH:
        return True
    # In a list of objects a `description` is usually a name, and many short ones read better as
    # fields.
    if "[" in path:
        return False
    name = path.rpartition(".")[2].lower()
    return name in _PROSE_FIELDS or name.endswith("_text")


def _source(snapshot: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("document_id", "collection_id"):
        if snapshot.get(name):
            yield name, format_scalar(snapshot[name])

    system = {}
    for key, value in internal(snapshot).items():
        if not key.endswith("blobs"):
            system[key] = value
    values = [(path, text) for path, text in text_leaves(system) if text]
    yield from values[:_MAX_SOURCE_FIELDS]

    for file in files(snapshot):
        yield f"{file.role}: {file.field or file.name}", file.url or file.name


def _line(text: str, max_length: int) -> str:
    """Return `text` in one line, truncated with an ellipsis."""
    line = " ".join(text[: max_length * 4].split())
    if len(line) <= max_length:
        return line
    return line[: max_length - 1].rstrip() + "\u2026"
