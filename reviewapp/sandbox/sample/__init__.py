"""The sample namespace."""

from __future__ import annotations

from pathlib import Path

from reviewapp.sandbox.errors import BadData

MEDIA = Path(__file__).parent / "media"


def write_sample(folder: Path, *, with_media: bool = True) -> None:
    """Write the sample's files into `folder`."""
    raise BadData(f"There is no sample to write into {folder} yet (media {with_media}); give --data DIR.")
