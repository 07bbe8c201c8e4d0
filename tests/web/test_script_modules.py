"""A page names one entry module; its imports are preloaded, and every one exists."""

from __future__ import annotations

import re
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from django.conf import settings

from reviewapp.web.script_modules import imported_modules, module_script, script_translations

ROOT = Path(settings.BASE_DIR)
MODULES = sorted(path.name for path in (ROOT / "static").glob("*.js"))
ENTRY = re.compile(r"""module_script\(["']([\w.]+)["']\)""")


def test_it_preloads_all_that_an_entry_imports() -> None:
    html = module_script("review.js")
    preloaded = re.findall(r'<link rel="modulepreload" href="/static/([\w.]+)">', html)
    assert sorted(preloaded) == ["drafts.js", "next_item.js", "page.js", "server.js"]
    assert html.endswith('<script type="module" src="/static/review.js"></script>')


@pytest.mark.parametrize("name", MODULES)
def test_it_imports_only_what_exists(name: str) -> None:
    source = (ROOT / "static" / name).read_text()
    written = set(
        re.findall(r"""from "\./([\w.]+)";|^import "\./([\w.]+)";""", source, re.MULTILINE)
    )
    direct = {first or second for first, second in written}
    assert direct <= set(imported_modules(name)) <= set(MODULES)


def test_it_gives_a_page_only_the_translations_that_it_needs(tmp_path: Path) -> None:
    catalog = Catalog("de")
    catalog.add("just now", "gerade eben")
    # Of a module that is loaded only when it is needed.
    catalog.add("Retriever", "Suche")
    catalog.add("Tag to add; clear it to leave it out", "Neues Schlagwort")
    catalog.add(
        ("%(number)s unsaved draft", "%(number)s unsaved drafts"),
        ("%(number)s Entwurf", "Entwürfe"),
    )
    compiled = tmp_path / "django.mo"
    with compiled.open("wb") as file:
        write_mo(file, catalog)
    with compiled.open("rb") as file:
        german = GNUTranslations(file)

    translations = script_translations("review.js", german)
    assert set(translations) == {"just now", "%(number)s unsaved draft", "Retriever"}
    assert translations["just now"] == "gerade eben"
    drafts = translations["%(number)s unsaved draft"]
    assert [drafts["forms"][drafts["form_of"][number]] for number in (0, 1, 101)] == [
        "Entwürfe",
        "%(number)s Entwurf",
        "Entwürfe",
    ]
    assert "Tag to add; clear it to leave it out" in script_translations("retriever.js", german)


def test_it_needs_no_translations_in_english() -> None:
    assert "application/json" not in module_script("review.js")


def test_it_uses_every_module() -> None:
    entries: set[str] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        entries |= set(ENTRY.findall(path.read_text()))
    used = entries.union(*(imported_modules(entry, and_later=True) for entry in entries))
    assert used == set(MODULES)


def test_it_says_which_module_is_missing() -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.js"):
        module_script("nowhere.js")
