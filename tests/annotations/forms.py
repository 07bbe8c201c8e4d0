"""What a browser would send: the form of the review page as it was rendered, with some fields changed."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from reviewapp.annotations.forms import opening
from reviewapp.annotations.models import Annotation


def filled(annotation: Annotation, **changes: Any) -> dict[str, Any]:
    """Return the data of the form for `annotation` as it stands, with `changes`."""
    data = opening(annotation, now=timezone.now()) | {"outcome": "decided"} | changes
    return {name: "" if value is None else value for name, value in data.items()}
