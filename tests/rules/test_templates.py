"""Templates: one root for each part, nothing inline, and everything works without scripts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests.rules.markup import A_VALUE, TEMPLATES, Element, names, read, variants
from tests.rules.sources import modules, tree

ALL = names()
PARTS = [name for name in ALL if PurePosixPath(name).name.startswith("_")]
# Shown again by themselves and pressed by nobody.
BY_ITSELF = ("every ", "load", "revealed", "intersect")


def exchanged() -> set[str]:
    """Return the parts that a view renders by themselves: htmx swaps them by their id."""
    strings = (
        node.value
        for path in modules("reviewapp")
        # These are put in where they are named, and never sent alone.
        if path.name != "markup.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return {value for value in strings if value in PARTS}


def elements(name: str) -> Iterator[Element]:
    """Yield every element of a template, whichever branch it is in."""
    for markup in variants(name):
        yield from read(markup)[0]


def described(element: Element) -> str:
    """Return an element as one finds it again."""
    return f"<{element.tag} {element.attributes}>"


def test_it_finds_templates_and_parts() -> None:
    assert set(ALL) > set(PARTS) > exchanged() > {"audit/_events.html"}


@pytest.mark.parametrize("name", PARTS)
def test_it_has_one_root_and_its_own_name_for_an_id(name: str) -> None:
    stem = PurePosixPath(name).stem.removeprefix("_")
    for markup in variants(name):
        found, loose = read(markup)
        roots = [element for element in found if not element.above]
        assert len(roots) <= 1, [described(root) for root in roots]
        assert not (roots and loose), loose
        ids = {root.attributes["id"] for root in roots if "id" in root.attributes}
        of_each = {one for one in ids if one.startswith(A_VALUE)}
        assert ids - of_each <= {stem}
        assert ids == {stem} or name not in exchanged()


@pytest.mark.parametrize("name", ALL)
def test_it_holds_no_inline_script_style_or_handler(name: str) -> None:
    for element in elements(name):
        bad = {one for one in element.attributes if one == "style" or one.startswith(("on", "hx-on"))}
        assert not bad, described(element)
        assert element.tag != "style", described(element)
        assert element.tag != "script" or "src" in element.attributes, described(element)
        assert "javascript:" not in " ".join(element.attributes.values()), described(element)
        assert not element.attributes.get("hx-vals", "").startswith(("js:", "javascript:")), described(element)


@pytest.mark.parametrize("name", ALL)
def test_it_works_without_scripts(name: str) -> None:
    assert [described(element) for element in elements(name) if not works_alone(element)] == []


def works_alone(element: Element) -> bool:
    """Return whether what htmx would send is also sent by the browser itself."""
    has = element.attributes
    forms = [one for one in (*element.above, element) if one.tag == "form"]
    in_form = "form" in has or any("action" in form.attributes for form in forms)
    if {"hx-put", "hx-patch", "hx-delete"} & has.keys():
        return False
    if "hx-get" in has and not has.get("hx-trigger", "").startswith(BY_ITSELF):
        return "href" in has or in_form
    if "hx-post" in has:
        posts = [form for form in forms if form.attributes.get("method", "").casefold() == "post"]
        return "formaction" in has or bool(posts) or "form" in has
    return True


@pytest.mark.parametrize(
    ("markup", "works"),
    [
        ('<a href="/x" hx-get="/x">x</a>', True),
        ('<a hx-get="/x">x</a>', False),
        ('<form action="/x"><select hx-get="/x"></select></form>', True),
        ('<form><select hx-get="/x"></select></form>', False),
        ('<p hx-get="/x" hx-trigger="every 2s"></p>', True),
        ('<form method="post" action="/x" hx-post="/x"></form>', True),
        ('<form method="post"><button formaction="/x" hx-post="/x">x</button></form>', True),
        ('<button hx-post="/x">x</button>', False),
        ('<a href="/x" hx-delete="/x">x</a>', False),
    ],
)
def test_it_would_see_what_only_works_with_scripts(markup: str, works: bool) -> None:
    assert all(map(works_alone, read(markup)[0])) is works


@pytest.mark.parametrize("name", ALL)
def test_it_protects_every_form_that_posts(name: str) -> None:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    posting = text.casefold().count('method="post"')
    assert text.count("{% csrf_token %}") >= posting


@pytest.mark.parametrize("name", ALL)
def test_it_can_be_read_without_scrolling(name: str) -> None:
    # A tag of Django's cannot end its line before it ends.
    lines = (TEMPLATES / name).read_text().splitlines()
    tag = re.compile(r"\s*\{%[^%]*%\}")
    assert [line for line in lines if len(line) > 150 and not tag.fullmatch(line)] == []


def test_it_cuts_nothing_that_somebody_pastes_to_be_stored() -> None:
    """A browser cuts what is pasted at `maxlength` without a word; a search that is cut loses nothing that is kept."""
    cutting = {name for name in ALL if "maxlength" in (TEMPLATES / name).read_text()}
    assert cutting == {
        "accounts/people.html",
        "annotations/_bar.html",
        "annotations/_facets.html",
        "annotations/_filters.html",
        "annotations/deliveries.html",
        "audit/history.html",
        "retrievers/retrievers.html",
    }
