"""Static files under names that change with their content; a page names twenty of them, so each
name is found once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Hashed(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's, which would look every name up again for every page."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._known = lru_cache(maxsize=1000)(super().url)

    def url(self, name: str | None, force: bool = False) -> str:
        """Return the address of a file; while DEBUG is on it is looked up each time."""
        again = settings.DEBUG or force or name is None
        return str(super().url(name, force) if again else self._known(name))
