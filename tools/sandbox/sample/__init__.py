"""The sample namespace: three retrievers worth arguing about, 636 documents, machine labels, media.

The files are made at run time by the standard library alone, the same each time; the media were
drawn once by `media_make.py` and are part of the project.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from tools.sandbox.sample.generator import MEDIA, Json
from tools.sandbox.sample.labels import machine_labels
from tools.sandbox.sample.retrievers import SOURCES, executions, retrievers
from tools.sandbox.store import packed

__all__ = ["MEDIA", "write_sample"]


def write_sample(folder: Path, *, with_media: bool = True) -> None:
    """Write the sample's `*.jsonl`, and with `with_media` its `media/`, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "retrievers.jsonl", retrievers())
    _write(
        folder / "documents.jsonl", chain.from_iterable(source.documents() for source in SOURCES)
    )
    _write(folder / "executions.jsonl", executions())
    _write(folder / "annotations.jsonl", machine_labels())
    if with_media:
        shutil.copytree(MEDIA, folder / "media", dirs_exist_ok=True)


def _write(path: Path, rows: Iterable[Json]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{packed(row)}\n" for row in rows)
