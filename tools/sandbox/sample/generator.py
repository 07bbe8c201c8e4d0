"""What every part of the sample is made with: the one source of chance, instants, blobs."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Json = dict[str, Any]
MEDIA = Path(__file__).parent / "media"
_START = datetime(2026, 9, 1, 7, 30, tzinfo=UTC)
_TYPES = {
    ".webp": ("image", "image/webp"),
    ".mp3": ("audio", "audio/mpeg"),
    ".mp4": ("video", "video/mp4"),
    ".pdf": ("pdf", "application/pdf"),
}


def chance(*about: object) -> random.Random:
    """Return a random generator that gives the same values for the same subject, everywhere."""
    subject = " ".join(map(str, about))
    return random.Random(subject)  # noqa: S311 - not for secrets: the sample must be reproducible


def ident(prefix: str, *about: object) -> str:
    """Return an opaque-looking id that is always the same for the same subject."""
    digest = hashlib.sha256(" ".join(map(str, about)).encode()).hexdigest()
    return f"{prefix}_{digest[:12]}"


def instant(days: float) -> str:
    """Return the instant so many days into the sample's autumn."""
    return (_START + timedelta(days=days)).isoformat(timespec="seconds").replace("+00:00", "Z")


def day(days: float) -> str:
    """Return the date so many days into the sample's autumn."""
    return instant(days)[:10]


def blob(field: str, name: str, days: float, role: str = "source") -> Json:
    """Return the reference to a media file of the sample."""
    path = MEDIA / name
    kind, content_type = _TYPES[path.suffix]
    return {
        "field": field,
        "role": role,
        "type": kind,
        "url": f"media/{name}",
        "filename": name,
        "size_bytes": path.stat().st_size,
        "content_type": content_type,
        "created_at": instant(days),
    }


def lost_blob(field: str, name: str, reason: str) -> Json:
    """Return the reference to a file that is gone, saying why."""
    kind, content_type = _TYPES[Path(name).suffix]
    return {
        "field": field,
        "role": "source",
        "type": kind,
        "url": f"s3://intake-archive/2026/{name}",
        "filename": name,
        "content_type": content_type,
        "presigned_url": None,
        "unavailable_reason": reason,
    }


def document(
    collection: str,
    number: int,
    days: float,
    *,
    fields: Json,
    blobs: list[Json],
    modality: str,
) -> Json:
    """Return a document in Mixpeek's current form: fields at the root, the rest in `_internal`."""
    return {
        "document_id": ident("doc", collection, number),
        "collection_id": collection,
        **fields,
        "document_blobs": blobs,
        "_internal": {
            "modality": modality,
            "created_at": instant(days),
            "lineage": {"root_object_id": ident("obj", collection, number)},
        },
    }
