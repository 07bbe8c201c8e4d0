"""Import Mixpeek's official package when a test first uses it, since that takes seconds."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import mixpeek as mixpeek  # noqa: PLC0414 - handed on
else:

    class _ImportedLater:
        def __getattr__(self, name: str) -> Any:
            # Pytest asks everything in a test module for names of its own.
            if name.startswith("_"):
                raise AttributeError(name)
            return getattr(importlib.import_module("mixpeek"), name)

    mixpeek = _ImportedLater()
