"""The script modules of a page: one entry, and a preload for each module that it imports."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from markupsafe import Markup

from reviewapp.bounded_cache import MIB, bounded_cache

# `import "./x.js";` and `import { a } from "./x.js";`, as the storage of static files reads them.
_IMPORT = re.compile(r"""^(?:import|export)\b[^;"']*["'](\./[^"']+)["'];""", re.MULTILINE)


@bounded_cache(most_bytes=MIB)
def module_script(entry: str) -> Markup:
    """Return the script tag of an entry module, below a preload link for each module it imports.

    Without the links, a browser would request one level of imports after the other.
    """
    tags = []
    for name in imported_modules(entry):
        tags.append(Markup('<link rel="modulepreload" href="{}">').format(static(name)))
    tags.append(Markup('<script type="module" src="{}"></script>').format(static(entry)))
    return Markup("\n  ").join(tags)


def imported_modules(entry: str) -> list[str]:
    """Return the names of all static files that a module imports, its imports' imports included."""
    names: list[str] = []
    to_read = [entry]
    while to_read:
        importer = to_read.pop()
        path = finders.find(importer)
        if path is None:
            raise FileNotFoundError(f"{importer} is in none of {settings.STATICFILES_DIRS}")

        folder = PurePosixPath(importer).parent
        for url in _IMPORT.findall(Path(path).read_text()):
            name = str(folder / url)
            if name != entry and name not in names:
                names.append(name)
                to_read.append(name)
    return names
