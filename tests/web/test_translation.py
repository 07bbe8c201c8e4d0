"""Sentences in templates and in Python go through Django's translation functions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po
from pytest_django import Settings

from reviewapp.web.jinja import environment
from tests.rules.sources import ROOT


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ('{{ _("Can\'t tell &amp; skip") }}', "Can't tell &amp; skip"),
        ('<a title="{{ _("Save") if name else "" }}">', '<a title="Save">'),
        ('{{ _("Saved by %(name)s.", name=name) }}', "Saved by &lt;Zoë&gt;."),
        ('{{ _("100%%") }}', "100%"),
        ('{{ ngettext("%(num)s item", "%(num)s items", 1) }}', "1 item"),
        ('{{ ngettext("%(num)s item", "%(num)s items", 2) }}', "2 items"),
        ('{{ pgettext("a verb", "Open") }}', "Open"),
        ("{% trans %}\n  Saved by {{ name }}.\n{% endtrans %}", "Saved by &lt;Zoë&gt;."),
    ],
)
@pytest.mark.parametrize("translated", [False, True])
def test_it_escapes_the_values_of_a_message_in_a_template(
    source: str, html: str, translated: bool, settings: Settings
) -> None:
    settings.USE_I18N = translated
    template = environment(autoescape=True).from_string(source)
    assert template.render(name="<Zoë>") == html


def test_it_finds_the_messages_of_templates_and_of_python(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "_page.html").write_text(
        '<p>{{ _("Saved by %(name)s.", name=name) }}</p>{% trans %}\n  A\n  b\n{% endtrans %}'
    )
    (tmp_path / "reviewapp").mkdir()
    (tmp_path / "reviewapp" / "views.py").write_text('_("Saved.")\nngettext("%d a", "%d b", 2)\n')
    catalog = tmp_path / "django.pot"
    command = ["pybabel", "--quiet", "extract", "--mapping", str(ROOT / "pyproject.toml")]
    run: Callable[[list[str]], int] = CommandLineInterface().run
    run([*command, "--output", str(catalog), str(tmp_path)])

    with catalog.open("rb") as file:
        messages = [message.id for message in read_po(file)]
    assert set(messages) == {"", "A b", "Saved by %(name)s.", "Saved.", ("%d a", "%d b")}
