"""Parse templates as markup: every branch once, without template tags, with ancestors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from django.template import engines
from jinja2 import nodes

from tests.rules.sources import ROOT

TEMPLATES = ROOT / "templates"
# What stands for the value of a variable.
A_VALUE = "x"
TRANSLATES = {"_", "gettext", "ngettext", "npgettext", "pgettext"}
_PLACEHOLDER = re.compile(r"%\(\w+\)s")
_VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
}


def names() -> list[str]:
    """Return the name of every template that holds HTML."""
    return sorted(
        path.relative_to(TEMPLATES).as_posix() for path in Path(TEMPLATES).rglob("*.html")
    )


@cache
def source(name: str) -> str:
    """Return the text of a template's file."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def parsed(name: str) -> list[tuple[list[Element], str]]:
    """Return, for each variant of a template, its elements and its loose text; see `variants`."""
    return [read(markup) for markup in variants(name)]


def variants(name: str) -> list[str]:
    """Return variants of a template's own markup that take every branch once.

    What it includes, and what macros of other templates print, is left out.
    """
    template = engines["jinja2"].env.parse(source(name))  # type: ignore[attr-defined]
    macros: set[str] = set()
    for imported in template.find_all(nodes.FromImport):
        macros.update(map(str, imported.names))
    for output in template.find_all(nodes.Output):
        output.nodes = [part for part in output.nodes if not _calls(part, macros)]

    branches = max([2, *(len(choice.elif_) + 2 for choice in template.find_all(nodes.If))])
    return list(dict.fromkeys(_markup(template.body, turn) for turn in range(branches)))


def _calls(part: nodes.Node, macros: set[str]) -> bool:
    called = part.node if isinstance(part, nodes.Call) else None
    return isinstance(called, nodes.Name) and called.name in macros


def _markup(parts: Iterable[nodes.Node], turn: int) -> str:
    return "".join(_part(part, turn) for part in parts)


def _part(part: nodes.Node, turn: int) -> str:
    if isinstance(part, nodes.TemplateData):
        return part.data
    if isinstance(part, nodes.Output):
        return _markup(part.nodes, turn)
    if isinstance(part, nodes.If):
        branches = [part.body, *(branch.body for branch in part.elif_), part.else_]
        return _markup(branches[turn % len(branches)], turn)
    if isinstance(part, nodes.For):
        return _markup(part.else_ if turn % 2 else part.body, turn)
    if isinstance(part, (nodes.Call, nodes.Filter)):
        return message(part) or A_VALUE
    if isinstance(part, nodes.Expr):
        return A_VALUE
    return _markup(getattr(part, "body", ()), turn)


def message(call: nodes.Call | nodes.Filter) -> str:
    """Return the text that a call translates, with values put in; "" if it calls something else."""
    function = call.node
    # What `UntranslatedMessages` makes of a call without values.
    if isinstance(call, nodes.Filter):
        if call.name == "safe" and isinstance(function, nodes.Const):
            return str(function.value)
        return ""
    if not isinstance(function, nodes.Name) or function.name not in TRANSLATES:
        return ""
    first = call.args[1] if function.name.endswith("pgettext") else call.args[0]
    assert isinstance(first, nodes.Const), f"{function.name} translates no variable"
    return _PLACEHOLDER.sub(A_VALUE, first.value)


@dataclass
class Element:
    """An element, its attributes, and what it is in."""

    tag: str
    attributes: dict[str, str]
    above: tuple[Element, ...]


@dataclass
class _Reader(HTMLParser):
    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)
    loose: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(self.open))
        self.elements.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self.open:
            if self.open.pop().tag == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self.open:
            self.loose += data.strip()


def read(markup: str) -> tuple[list[Element], str]:
    """Return the elements of some markup in order, and the text that is in none of them."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader.elements, reader.loose
