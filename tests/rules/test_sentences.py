"""What people read goes through the translation functions: in templates and in scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from tests.rules import markup
from tests.rules.sources import ROOT

SCRIPTS = sorted((ROOT / "static").glob("*.js"))

# In templates, where a value stands.
VALUE = "\0"
SHOWN_ATTRIBUTES = "alt|aria-label|placeholder|title"
ATTRIBUTE = re.compile(rf'\b(?:{SHOWN_ATTRIBUTES})="([^"]*)"')
TAG = re.compile(r'<(?:[^<>"]|"[^"]*")*>')
NO_TEXT = re.compile(r"<!--.*?-->|<(script|style|kbd|code|pre)\b.*?</\1>", re.DOTALL)
ENTITY = re.compile(r"&\w+;")
LETTERS = re.compile(r"[^\W\d_]+")
# The same in every language: names, units, the short form of "version", examples, and the start
# of a film in its address.
SAME_EVERYWHERE = {"v", "t", "ms", "OpenAPI", "UTC", "annotations"}
# Blocks of a page that hold classes and no text.
CLASS_BLOCKS = {"main_class"}

COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
STRING = r'"(?:[^"\\\n]|\\.)*"'
TRANSLATED = re.compile(rf"\bn?gettext\(\s*{STRING}(?:\s*[+,]\s*{STRING})*")
SELECTION = re.compile(
    rf"\b(?:closest|matches|querySelector|querySelectorAll)\(\s*(?:{STRING}|`[^`]*`)"
)
LITERAL = re.compile(rf"{STRING}|`[^`]*`")
PLACEHOLDER = re.compile(r"\$\{[^}]*\}")
# In scripts, what has no other characters, and a blank between two words, may be a sentence.
PHRASE = re.compile(r"[\w .,;:'!?()%“”…-]*\w[.,;:]?\s[a-zA-Z][\w .,;:'!?()%“”…-]*")
CLASSES = re.compile(r"\bclassName = [^;]*;")
# Selectors, a style query, htmx's words, and what the tabs tell each other.
NO_SENTENCES = {
    "img, video, audio, iframe",
    "(prefers-color-scheme: dark)",
    "outerHTML show:window:top",
    "signed in",
}


def bare_texts(source: str) -> list[str]:
    """Return the untranslated texts of a template, also those of attributes that are shown."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    markup_alone = NO_TEXT.sub("", "".join(pieces(environment.parse(source))))
    texts = [match[1] for match in ATTRIBUTE.finditer(markup_alone)]
    texts += TAG.sub("\n", markup_alone).split("\n")

    bare = []
    for text in texts:
        words = LETTERS.findall(ENTITY.sub("", text))
        if not SAME_EVERYWHERE.issuperset(words):
            bare.append(text.strip())
    return bare


def pieces(node: nodes.Node) -> Iterator[str]:
    """Yield what a template prints as it is written, and `VALUE` for the rest."""
    if isinstance(node, nodes.Block) and node.name in CLASS_BLOCKS:
        return
    if isinstance(node, nodes.TemplateData):
        yield node.data
    elif isinstance(node, nodes.Expr):
        yield VALUE
    elif isinstance(node, nodes.Output):
        for part in node.nodes:
            yield from pieces(part)
    else:
        for field in ("body", "elif_", "else_"):
            for child in getattr(node, field, ()):
                yield from pieces(child)


@pytest.mark.parametrize("name", markup.names())
def test_templates_hold_no_untranslated_text(name: str) -> None:
    assert bare_texts(markup.source(name)) == []


@pytest.mark.parametrize(
    ("source", "bare"),
    [
        ("<p>Saved.</p>", ["Saved."]),
        ('<p class="page">{{ _("Saved.") }} <kbd>Ctrl</kbd></p>', []),
        ("<p>{% if name %}by {{ name }}{% endif %}</p>", [f"by {VALUE}"]),
        ("<p>{% trans %}Saved <b>now</b>.{% endtrans %}</p>", []),
        ('<a title="Open {{ name }}" href="/open">{{ name }}</a>', [f"Open {VALUE}"]),
    ],
)
def test_the_rule_for_templates_finds_bare_text(source: str, bare: list[str]) -> None:
    assert bare_texts(source) == bare


def script_sentences(source: str) -> list[str]:
    """Return the strings of a script that look like a sentence and are not translated."""
    for known in (COMMENT, TRANSLATED, SELECTION, CLASSES):
        source = known.sub("", source)

    sentences = []
    for literal in LITERAL.findall(source):
        text = PLACEHOLDER.sub("", literal[1:-1])
        if PHRASE.fullmatch(text) and text not in NO_SENTENCES:
            sentences.append(literal)
    return sentences


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_hold_no_untranslated_sentence(path: Path) -> None:
    assert script_sentences(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('say("Saved. 3 left");', 1),
        ("say(`Saved by ${name}.`);", 1),
        ('say(gettext("Saved. " +\n  "3 left"));', 0),
        ('ngettext("%(number)s more item", "%(number)s more items", 2);', 0),
        ('form.querySelector("main form");', 0),
        ('  // Says "Saved by you" once.', 0),
    ],
)
def test_the_rule_for_scripts_finds_sentences(source: str, count: int) -> None:
    assert len(script_sentences(source)) == count
