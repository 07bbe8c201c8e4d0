"""Templates: one root for each part, nothing inline, and everything works without scripts."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import PurePosixPath

import pytest

from tests.rules.markup import A_VALUE, Element, names, parsed, read, source
from tests.rules.sources import modules, tree

ALL = names()
PARTS = [name for name in ALL if PurePosixPath(name).name.startswith("_")]
# Shown again by themselves and pressed by nobody.
BY_ITSELF = ("every ", "focus, ", "load", "revealed", "intersect", "attention ")


@cache
def exchanged() -> set[str]:
    """Return the parts that a view renders by themselves: htmx swaps them by their id."""
    rendered = set()
    for path in modules("reviewapp"):
        # The queue's row is put in where it is named, and never sent alone.
        if path.name == "jinja.py":
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and node.value in PARTS:
                rendered.add(str(node.value))
    return rendered


def elements(name: str) -> Iterator[Element]:
    """Yield every element of a template, whichever branch it is in."""
    for variant, _loose in parsed(name):
        yield from variant


def offenders(templates: list[str], is_wrong: Callable[[str, Element], bool]) -> list[str]:
    """Return the elements that break a rule, each once and with the name of its template."""
    wrong: dict[str, None] = {}
    for name in templates:
        for element in elements(name):
            if is_wrong(name, element):
                wrong[f"{name}: {described(element)}"] = None
    return list(wrong)


def described(element: Element) -> str:
    """Return an element as one finds it again."""
    return f"<{element.tag} {element.attributes}>"


def test_it_finds_templates_and_parts() -> None:
    assert set(ALL) > set(PARTS) > exchanged() > {"audit/_events.html"}


def test_it_has_one_root_and_its_own_name_for_an_id() -> None:
    wrong = []
    for name in PARTS:
        faults = faults_of_root(name)
        if faults:
            wrong.append(f"{name}: {faults}")
    assert not wrong, "\n".join(wrong)


def faults_of_root(name: str) -> list[str]:
    """Return why htmx cannot swap a part by its root: several roots, loose text, a wrong id."""
    faults = []
    stem = PurePosixPath(name).stem.removeprefix("_")
    for variant, loose in parsed(name):
        roots = [element for element in variant if not element.above]
        if len(roots) > 1:
            faults.append(f"several roots: {[described(root) for root in roots]}")
        if roots and loose:
            faults.append(f"text beside the root: {loose}")

        ids = {root.attributes["id"] for root in roots if "id" in root.attributes}
        of_each = {id_ for id_ in ids if id_.startswith(A_VALUE)}
        if not ids - of_each <= {stem}:
            faults.append(f"the id of another part: {ids}")
        if name in exchanged() and ids != {stem}:
            faults.append(f"no id of its own: {ids}")
    return faults


def test_it_holds_no_inline_script_style_or_handler() -> None:
    wrong = offenders(ALL, is_inline)
    assert not wrong, "\n".join(wrong)


def is_inline(name: str, element: Element) -> bool:
    """Return whether an element holds a script, a style or a handler, which belong in files."""
    has = element.attributes
    if "style" in has:
        return True
    if any(attribute.startswith(("on", "hx-on")) for attribute in has):
        return True
    if element.tag == "style" or (element.tag == "script" and "src" not in has):
        return True
    if "javascript:" in " ".join(has.values()):
        return True
    return has.get("hx-vals", "").startswith(("js:", "javascript:"))


def test_it_works_without_scripts() -> None:
    wrong = offenders(ALL, lambda name, element: not works_alone(element))
    assert not wrong, "\n".join(wrong)


def works_alone(element: Element) -> bool:
    """Return whether what htmx would send is also sent by the browser itself."""
    has = element.attributes
    forms = [ancestor for ancestor in (*element.above, element) if ancestor.tag == "form"]
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


def test_it_protects_every_form_that_posts() -> None:
    unprotected = [
        name
        for name in ALL
        if source(name).count("{{ csrf_input }}") < source(name).casefold().count('method="post"')
    ]
    assert not unprotected, "\n".join(unprotected)


def test_it_cuts_nothing_that_somebody_pastes() -> None:
    """A browser silently cuts a pasted text at `maxlength`, and counts in UTF-16."""
    wrong = offenders(ALL, cuts_what_is_pasted)
    assert not wrong, "\n".join(wrong)


def cuts_what_is_pasted(name: str, element: Element) -> bool:
    """Return whether a field has a `maxlength`."""
    return "maxlength" in element.attributes
