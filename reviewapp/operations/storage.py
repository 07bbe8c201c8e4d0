"""Store static files under names that contain a digest of their content."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.conf import settings
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Hashed(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage with cached URLs; script modules import hashed names too."""

    support_js_module_import_aggregation = True
    # Extensions that we do not use, and one of them imports a file that is not there.
    _LEFT_OUT = "django_htmx/ext/"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._cached_url = lru_cache(maxsize=1000)(super().url)

    def url(self, name: str | None, force: bool = False) -> str:
        """Return the URL of a file, from the cache unless DEBUG is on."""
        if settings.DEBUG or force or name is None:
            return str(super().url(name, force))
        return str(self._cached_url(name))

    def post_process(self, paths: dict[str, Any], *args: Any, **options: Any) -> Iterator[Any]:
        """Hash and compress the collected files, by name; yield what became of each."""
        used = {name: file for name, file in paths.items() if not name.startswith(self._LEFT_OUT)}
        yield from super().post_process(used, *args, **options)
