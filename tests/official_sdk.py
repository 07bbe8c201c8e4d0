"""Mixpeek's official package, of which only what a test names is imported.

Importing it whole takes ten seconds, since each of its two thousand models is a Pydantic class.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

_IMPORT = re.compile(r"^from (mixpeek\S*) import (\w+)", re.MULTILINE)


class _Package(ModuleType):
    """A package of Mixpeek's that imports a module of its own when a name out of it is used."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self.__path__ = [str(folder)]
        source = (folder / "__init__.py").read_text()
        self._modules = {imported: module for module, imported in _IMPORT.findall(source)}

    def __getattr__(self, name: str) -> Any:
        try:
            module = self._modules[name]
        except KeyError:
            raise AttributeError(name) from None
        return getattr(importlib.import_module(module), name)


def _import_later() -> ModuleType:
    spec = importlib.util.find_spec("mixpeek")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    package = _Package("mixpeek", folder)
    sys.modules["mixpeek"] = package
    for name in ("api", "models"):
        part = _Package(f"mixpeek.{name}", folder / name)
        sys.modules[part.__name__] = part
        setattr(package, name, part)
    return package


if TYPE_CHECKING:
    import mixpeek as mixpeek  # noqa: PLC0414 - handed on
else:
    mixpeek = _import_later()
