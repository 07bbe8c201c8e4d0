"""The script modules of a page: its entry, a preload for each import, and their translations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils import translation
from django.utils.html import json_script
from markupsafe import Markup

from reviewapp.bounded_cache import MIB, bounded_cache

# `import "./x.js";` and `import { a } from "./x.js";`, as the storage of static files reads them.
_IMPORT = re.compile(r"""^(?:import|export)\b[^;"']*["'](\./[^"']+)["'];""", re.MULTILINE)
# `import("./x.js")`: loaded when it is needed.
_LATER_IMPORT = re.compile(r"""\bimport\(["'](\./[^"']+)["']\)""")
# `gettext("Saved.")` and `ngettext("%(number)s day", "%(number)s days", …)`; `+` joins the lines of
# a long sentence.
_STRING = r'"(?:[^"\\\n]|\\.)*"'
_SENTENCE = rf"({_STRING}(?:\s*\+\s*{_STRING})*)"
_GETTEXT = re.compile(rf"\bgettext\(\s*{_SENTENCE}")
_NGETTEXT = re.compile(rf"\bngettext\(\s*{_SENTENCE},\s*{_SENTENCE}")
# A plural form depends on the number below a hundred, and on the last two digits above.
_PLURAL_NUMBERS = range(200)


class Catalog(Protocol):
    """The translations into one language; Django's module `translation` is one."""

    def gettext(self, message: str, /) -> str: ...
    def ngettext(self, singular: str, plural: str, number: int, /) -> str: ...


def module_script(entry: str) -> Markup:
    """Return the script tag of an entry module, below what it needs.

    That is a preload link for each module it imports, because a browser would request one level of
    imports after the other, and as JSON the translations of their sentences, if there are any.
    """
    return module_tags(entry, translation.get_language() or "")


@bounded_cache(most_bytes=MIB)
def module_tags(entry: str, language: str) -> Markup:
    """Return what `module_script` does, once for each language."""
    tags: list[str] = []
    translations = script_translations(entry, translation)
    if translations:
        tags.append(json_script(translations, "translations"))
    for name in imported_modules(entry):
        tags.append(Markup('<link rel="modulepreload" href="{}">').format(static(name)))
    tags.append(Markup('<script type="module" src="{}"></script>').format(static(entry)))
    return Markup("\n  ").join(tags)


def imported_modules(entry: str, *, and_later: bool = False) -> list[str]:
    """Return the names of all static files that a module imports, its imports' imports included.

    Those that it loads only when it needs them are left out, unless `and_later`.
    """
    names: list[str] = []
    to_read = [entry]
    while to_read:
        importer = to_read.pop()
        folder = PurePosixPath(importer).parent
        source = _source(importer)
        urls = _IMPORT.findall(source)
        if and_later:
            urls += _LATER_IMPORT.findall(source)
        for url in urls:
            name = str(folder / url)
            if name != entry and name not in names:
                names.append(name)
                to_read.append(name)
    return names


def script_translations(entry: str, catalog: Catalog) -> dict[str, Any]:
    """Return what `catalog` makes of the sentences of a module and its imports, by the sentence.

    Those that stay the same are left out. A sentence with a number has its plural `forms`, and for
    each number from 0 to 199 the form to use (`form_of`).
    """
    translations: dict[str, Any] = {}
    for name in [entry, *imported_modules(entry, and_later=True)]:
        source = _source(name)
        for sentence in _sentences(_GETTEXT, source):
            translated = catalog.gettext(sentence[0])
            if translated != sentence[0]:
                translations[sentence[0]] = translated

        for singular, plural in _sentences(_NGETTEXT, source):
            by_number = [catalog.ngettext(singular, plural, number) for number in _PLURAL_NUMBERS]
            forms = list(dict.fromkeys(by_number))
            if not {singular, plural}.issuperset(forms):
                form_of = [forms.index(text) for text in by_number]
                translations[singular] = {"forms": forms, "form_of": form_of}
    return translations


def _sentences(call: re.Pattern[str], source: str) -> Iterator[list[str]]:
    """Yield the sentences in each of these calls, the lines of each joined."""
    for match in call.finditer(source):
        sentences = []
        for literals in match.groups():
            lines = re.findall(_STRING, literals)
            sentences.append("".join(json.loads(line) for line in lines))
        yield sentences


def _source(name: str) -> str:
    path = finders.find(name)
    if path is None:
        raise FileNotFoundError(f"{name} is in none of {settings.STATICFILES_DIRS}")
    return Path(path).read_text(encoding="utf-8")
