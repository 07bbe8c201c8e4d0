"""What a reviewer judges by: a snapshot, sorted into title, texts, media, fields and where it came from. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from reviewapp.retrievers.documents.highlight import Piece, pieces
from reviewapp.retrievers.documents.layout import internal, layers, leaves, shown, text_at
from reviewapp.retrievers.documents.media import Medium, files, media
from reviewapp.retrievers.documents.snapshot import CUT

MOST_TITLE, MOST_EXCERPT, MOST_WORDS, MOST_FIELDS = 200, 300, 20_000, 300

_TITLES = ("title", "name", "headline", "subject", "filename", "file_name", "original_filename")
_TEXTS = {
    "abstract", "body", "caption", "comment", "content", "description", "message", "note", "notes", "ocr", "ocr_text",
    "summary", "text", "transcript", "transcription",
}  # fmt: skip
_LONG = 160


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything in plain values, ready to be shown as text and never as HTML.

    `texts` are (name, pieces) with the words asked for marked, `fields` and `source` are (path, value); `cut` says why
    this is not all of the document, and is mostly empty.
    """

    title: str
    texts: list[tuple[str, list[Piece]]]
    media: list[Medium]
    fields: list[tuple[str, str]]
    source: list[tuple[str, str]]
    cut: str = ""


def evidence(snapshot: Mapping[str, Any], *, query_words: Iterable[str] = ()) -> Evidence:
    """Sort a snapshot of any of Mixpeek's layouts into what a reviewer looks at."""
    words = tuple(query_words)
    return Evidence(
        title=title_of(snapshot),
        texts=[(name, pieces(text, words)) for name, text in _texts(snapshot)],
        media=media(snapshot),
        fields=list(islice(_fields(snapshot), MOST_FIELDS)),
        source=list(_source(snapshot)),
        cut=shown(snapshot.get(CUT)),
    )


def title_of(snapshot: Mapping[str, Any]) -> str:
    """Return a line to know the document by, at most `MOST_TITLE` characters and never empty unless all of it is."""
    named = text_at(snapshot, *_TITLES)
    filed = next((file.name for file in files(snapshot) if file.name), "")
    told = next((text for _, text in _texts(snapshot)), "")
    return _line(named or filed or told or shown(snapshot.get("document_id")), MOST_TITLE)


def excerpt_of(snapshot: Mapping[str, Any]) -> str:
    """Return the beginning of the first text, else the first fields, at most `MOST_EXCERPT` characters."""
    told = next((text for _, text in _texts(snapshot)), "")
    listed = (f"{path}: {value}" for path, value in islice(_fields(snapshot), 8))
    return _line(told or " · ".join(listed), MOST_EXCERPT)


def words_of(snapshot: Mapping[str, Any]) -> str:
    """Return what a search should find the document by, at most `MOST_WORDS` characters."""
    texts = (text for _, text in _texts(snapshot))
    values = (value for _, value in _fields(snapshot))
    return _line(" ".join((*values, *texts)), MOST_WORDS)


def _texts(snapshot: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    return ((path, value) for path, value, is_text in _told(snapshot) if is_text)


def _fields(snapshot: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    return ((path, value) for path, value, is_text in _told(snapshot) if not is_text)


def _told(snapshot: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Yield (path, value, whether it is prose), each once, blanks left out."""
    seen: dict[str, str] = {}
    for layer, fields in layers(snapshot):
        for path, raw in leaves(fields):
            value = shown(raw)
            if not value.strip() or seen.get(path) == value:
                continue
            name = f"{layer}.{path}" if path in seen and layer else path
            seen[name] = value
            yield name, value, isinstance(raw, str) and _is_prose(path, value)


def _is_prose(path: str, value: str) -> bool:
    if "://" in value[:20]:
        return False
    if "\n" in value.strip() or len(value) > _LONG:
        return True
    # In a list of things a `description` is mostly a name, and many short ones are read better as fields.
    last = path.rpartition(".")[2].lower()
    return "[" not in path and (last in _TEXTS or last.endswith("_text"))


def _source(snapshot: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("document_id", "collection_id"):
        if snapshot.get(name):
            yield name, shown(snapshot[name])
    noted = {key: value for key, value in internal(snapshot).items() if not key.endswith("blobs")}
    yield from islice(((path, shown(value)) for path, value in leaves(noted) if shown(value)), 50)
    for file in files(snapshot):
        yield f"{file.role}: {file.field or file.name}", file.url or file.name


def _line(text: str, most: int) -> str:
    line = " ".join(text[: most * 4].split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "\u2026"
