"""Style sheets: a page loads a rule for each class on it, and no rule or token is unused."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from django.template import engines
from jinja2 import nodes

from tests.rules.markup import A_VALUE, names, parsed, source
from tests.rules.sources import ROOT

SHEETS = {path.stem: path for path in (ROOT / "static" / "css").glob("*.css")}
ON_EVERY_PAGE = {"base"}
PAGES = [name for name in names() if '{% extends "base.html" %}' in source(name)]
# Rendered by the view, and put into the page where its value is printed.
RENDERED = {"annotations/queue.html": ["annotations/_facets.html", "annotations/_row.html"]}
# Classes that Swagger UI and htmx give.
FOREIGN = re.compile(r"\.(swagger-ui|htmx-request).*")


@cache
def rules(sheet: str) -> str:
    """Return a sheet without comments and addresses."""
    return re.sub(r"/\*.*?\*/|url\(.*?\)", "", SHEETS[sheet].read_text(), flags=re.DOTALL)


@cache
def styled(sheet: str) -> set[str]:
    """Return the classes that the selectors of a sheet name."""
    selectors = " ".join(re.findall(r"([^{};]+)\{", rules(sheet)))
    return set(re.findall(r"\.([A-Za-z][\w-]*)", FOREIGN.sub("", selectors)))


@cache
def scripts() -> str:
    """Return our scripts, one after the other."""
    ours = [path for path in (ROOT / "static").rglob("*.js") if "vendor" not in path.parts]
    return "\n".join(path.read_text() for path in ours)


def sheets_of(page: str) -> set[str]:
    """Return the sheets that a page loads."""
    return ON_EVERY_PAGE | set(re.findall(r'static\("css/(\w+)\.css"\)', source(page)))


def templates_of(page: str) -> set[str]:
    """Return a page's template, the shell, and all that they include."""
    found: set[str] = set()
    waiting = [page, "base.html", *RENDERED.get(page, [])]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        tree = engines["jinja2"].env.parse(source(name))  # type: ignore[attr-defined]
        for include in tree.find_all(nodes.Include):
            waiting.append(include.template.value)
    return found


def classes_of(template: str) -> set[str]:
    """Return the classes that a template gives in any branch; one with a value ends in "-x"."""
    given: set[str] = set()
    for elements, _loose in parsed(template):
        for element in elements:
            given.update(element.attributes.get("class", "").split())
    return given - {A_VALUE}


def is_built(name: str) -> bool:
    """Return whether a class is put together from a value: "hue-x"."""
    return name.endswith(f"-{A_VALUE}")


def test_it_finds_pages_and_sheets() -> None:
    assert {"annotations/review.html", "404.html"} < set(PAGES)
    assert {"base", "review"} < SHEETS.keys()
    assert "annotations/_bar.html" in templates_of("annotations/review.html")
    assert {"bar", "button-small"} <= classes_of("annotations/_bar.html")


@pytest.mark.parametrize("template", PAGES)
def test_it_loads_a_rule_for_every_class_on_the_page(template: str) -> None:
    known = set().union(*(styled(sheet) for sheet in sheets_of(template)))
    without = set()
    for part in templates_of(template):
        for name in classes_of(part) - known:
            if not is_built(name) and f".{name}" not in scripts():
                without.add(f"{part}: {name}")
    assert without == set()


@pytest.mark.parametrize("template", PAGES)
def test_it_loads_few_sheets(template: str) -> None:
    assert len(sheets_of(template)) <= 4


@pytest.mark.parametrize("sheet", sorted(SHEETS))
def test_it_has_no_rule_for_a_class_that_nothing_has(sheet: str) -> None:
    given = set().union(*(classes_of(name) for name in names()))
    starts = tuple(name.removesuffix(A_VALUE) for name in given if is_built(name))
    templates = "\n".join(source(name) for name in names())
    modules = "\n".join(path.read_text() for path in Path(ROOT / "reviewapp").rglob("*.py"))
    elsewhere = set(re.findall(r"[\w-]+", templates + scripts() + modules))
    unused = styled(sheet) - given - elsewhere
    assert {name for name in unused if not name.startswith(starts)} == set()


@pytest.mark.parametrize("sheet", sorted(SHEETS))
def test_it_names_tokens_that_exist(sheet: str) -> None:
    defined = set(re.findall(r"(--[\w-]+):", rules("base") + rules(sheet)))
    assert set(re.findall(r"var\((--[\w-]+)", rules(sheet))) - defined == set()


def test_it_has_no_token_that_nothing_names() -> None:
    used = set(re.findall(r"var\((--[\w-]+)", "\n".join(map(rules, SHEETS))))
    assert set(re.findall(r"(--[\w-]+):", rules("base"))) - used == set()
