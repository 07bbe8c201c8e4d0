"""Store static files under names that contain a digest of their content."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Hashed(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage with cached URLs: a page names about twenty files."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._cached_url = lru_cache(maxsize=1000)(super().url)

    def url(self, name: str | None, force: bool = False) -> str:
        """Return the URL of a file, from the cache unless DEBUG is on."""
        if settings.DEBUG or force or name is None:
            return str(super().url(name, force))
        return str(self._cached_url(name))
