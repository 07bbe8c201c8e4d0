"""The Jinja2 environment of our templates: their functions and filters.

Django's template filters are registered under their own names, so that a filter means the same in
Django's documentation and in our templates. The templates inside the allauth package stay Django's.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Hashable, Iterator, MutableMapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial, wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest
from django.template import defaultfilters, engines
from django.template.backends.jinja2 import Jinja2
from django.template.backends.utils import csrf_input
from django.template.loader import get_template
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from django.utils import formats, timezone
from django.utils.functional import SimpleLazyObject
from django.utils.html import json_script
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext, npgettext, pgettext
from django_htmx.jinja import htmx_script
from jinja2 import ChainableUndefined, Environment, Undefined
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup

from reviewapp.bounded_cache import MIB, bounded_cache
from reviewapp.json_values import number_text
from reviewapp.web.compiled_templates import CompiledTemplates
from reviewapp.web.filters import MAX_CHOICES
from reviewapp.web.media_url import media_url
from reviewapp.web.script_modules import module_script

_FILTERS = (
    "capfirst",
    "date",
    "default_if_none",
    "floatformat",
    "length",
    "linebreaksbr",
    "pluralize",
    "truncatechars",
    "urlencode",
    "yesno",
)

_COMPILED = Path(__file__).with_name("__pycache__")

# The tokens of `_("Save")`.
_CONSTANT_CALL = ("name", "lparen", "string", "rparen")
_MAX_LISTED_DECIMALS = 4

# The short names of the months, by their number.
_MONTHS = tuple(calendar.month_abbr)

# The digits of whole numbers are not grouped, so they are printed as they are.
_LOCALIZED = (float, Decimal, date)

# Pages that belong to another page's place in the navigation, by the names of their URLs.
_NAVIGATION_PARTS = {
    "review": "queue",
    "life": "queue",
    "chosen_deliveries": "deliveries",
    "delivery": "deliveries",
    "retriever": "retrievers",
    "edit_retriever": "retrievers",
    "execution": "retrievers",
    "guidelines": "retrievers",
    "label_set": "retrievers",
    "retriever_version": "retrievers",
    "tag_retrievers": "retrievers",
    "tagged_retrievers": "retrievers",
    "decision_totals": "history",
    "decisions": "history",
    "batch": "queue",
    "batches": "queue",
    "preview_batch": "queue",
    "start_batch": "queue",
    "exports": "history",
    "my_figures": "figures",
    "history_totals": "history",
    "new_revert": "history",
    "overrides": "history",
    "revert": "history",
    "reverts": "history",
    "invite": "people",
    "person": "people",
}


class PlainGlobals(Environment):
    """An environment whose templates all have the same globals, in a plain dict.

    Each include and import copies and compares the globals, which takes Jinja2's `ChainMap` ten
    times as long. So no template can be loaded with globals of its own.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of the environment."""
        return dict(self.globals)


def environment(**options: Any) -> Environment:
    """Return the environment that `settings.TEMPLATES` names.

    A missing value prints nothing and is none, in every mode, as in Django's own templates.
    """
    env = PlainGlobals(**options)
    env.bytecode_cache = CompiledTemplates(_COMPILED, made_by=Path(__file__))
    env.undefined = ChainableUndefined
    env.finalize = localized
    env.keep_trailing_newline = True
    for name in _FILTERS:
        env.filters[name] = _jinja_filter(getattr(defaultfilters, name))
    env.filters["exact"] = number_text
    env.filters["decimals"] = decimals
    env.filters["intcomma"] = _jinja_filter(intcomma)
    env.filters["json_script"] = json_script
    add_translation(env)
    env.tests["none"] = is_none
    env.globals.update(
        csrf_cookie_name=settings.CSRF_COOKIE_NAME,
        event_row=event_row,
        htmx_script=htmx_script,
        icon=icon,
        max_choices=MAX_CHOICES,
        media_url=media_url,
        module_script=module_script,
        navigation_part=navigation_part,
        queue_row=queue_row,
        static=static_url,
        time=time,
        url=url,
    )
    return env


def add_translation(env: Environment) -> None:
    """Let templates translate: `{{ _("Save") }}`, `{{ _("Saved by %(name)s", name=name) }}`,
    `{{ ngettext("%(num)s item", "%(num)s items", count) }}`, `{% trans %}`, `{{ pgettext(...) }}`.

    A message is HTML, and values in it are escaped. A percent sign in a message is written `%%`.
    """
    env.add_extension("jinja2.ext.i18n")
    if not settings.USE_I18N:
        env.add_extension(UntranslatedMessages)
    env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext
    )
    env.policies["ext.i18n.trimmed"] = True
    # Jinja2's own `_` looks `gettext` up at every call.
    env.globals["_"] = env.globals["gettext"]


class UntranslatedMessages(Extension):
    """Compile `_("Save")` as a constant; a hundred calls take longer than the rest of a page."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Yield the tokens of a template, with `"Save"|safe` for `_("Save")`."""
        tokens = list(stream)
        position = 0
        while position < len(tokens):
            call = tokens[position : position + len(_CONSTANT_CALL)]
            types = tuple(token.type for token in call)
            if types == _CONSTANT_CALL and call[0].value == "_":
                message = call[2]
                yield Token(message.lineno, "string", message.value.replace("%%", "%"))
                yield Token(message.lineno, "pipe", "|")
                yield Token(message.lineno, "name", "safe")
                position += len(call)
            else:
                yield tokens[position]
                position += 1


def compile_templates() -> None:
    """Compile all templates of ours; otherwise the first reader of each page waits for it."""
    for engine in engines.all():
        if isinstance(engine, Jinja2):
            for name in engine.env.list_templates():
                engine.env.get_template(name)


def csrf_input_once(request: HttpRequest) -> dict[str, object]:
    """Make the hidden input with the CSRF token once for all forms of a page; a context processor.

    Django's own masks the token anew for each form, although one mask protects the whole response.
    """
    return {"csrf_input": SimpleLazyObject(partial(csrf_input, request))}


def is_none(value: object) -> bool:
    """Return whether a template's value is None or missing (the test `none`)."""
    return value is None or isinstance(value, Undefined)


def _jinja_filter(django_filter: Callable[..., object]) -> Callable[..., object]:
    """Call a filter of Django's as its own templates do.

    A missing value is "", and what formats a date gets it in the current time zone.
    """
    is_in_local_time = getattr(django_filter, "expects_localtime", False)

    @wraps(django_filter)
    def filtered(value: object, *args: object) -> object:
        if isinstance(value, Undefined):
            value = ""
        if is_in_local_time:
            value = _in_local_time(value)
        return django_filter(value, *args)

    return filtered


def _in_local_time(value: object) -> object:
    if isinstance(value, datetime) and timezone.is_aware(value):
        return timezone.localtime(value)
    return value


def localized(value: object) -> object:
    """Return a printed value as text in the reader's format: numbers and dates differ by locale."""
    # Called for every printed value, and nearly all of them are texts.
    if isinstance(value, str) or not isinstance(value, _LOCALIZED):
        return value
    return formats.localize(_in_local_time(value))


def decimals(value: float, least: int) -> str:
    """Return a number for a list, with `least` decimals or more; after four it is cut, visibly.

    It is never rounded: below a limit it must not read as the limit.
    """
    text = number_text(value)
    if "e" in text:
        text = f"{Decimal(text):f}"
    whole, _, fraction = text.partition(".")
    if len(fraction) > _MAX_LISTED_DECIMALS:
        return f"{whole}.{fraction[:_MAX_LISTED_DECIMALS]}\u2026"
    return f"{whole}.{fraction.ljust(least, '0')}"


def url(name: str, *args: object, **kwargs: object) -> str:
    """Return the path of a URL name, as `reverse` does, remembered for the same arguments."""
    return _reverse(get_script_prefix(), name, args, tuple(kwargs.items()))


@bounded_cache(most_bytes=2 * MIB)
def _reverse(
    prefix: str, name: str, args: tuple[object, ...], kwargs: tuple[tuple[str, object], ...]
) -> str:
    # `prefix` is part of the key: it is the thread's, and `reverse` puts it in front.
    return reverse(name, args=args, kwargs=dict(kwargs))


@bounded_cache(most_bytes=MIB)
def static_url(path: str) -> str:
    """Return the URL of a static file, as `static` does, remembered: a page has a hundred icons."""
    return static(path)


@bounded_cache(most_bytes=MIB)
def icon(name: str) -> Markup:
    """Return the drawing of this name out of the vendored icons; it says nothing to who hears."""
    drawings = static("vendor/bootstrap-icons/bootstrap-icons.svg")
    return Markup(
        '<svg class="icon" aria-hidden="true">\n  <use href="{}#{}"></use>\n</svg>'
    ).format(drawings, name)


def navigation_part(url_name: str) -> str:
    """Return which part of the navigation a page belongs to, both by the names of their URLs."""
    return _NAVIGATION_PARTS.get(url_name, url_name)


def time(at: datetime | None, age: bool = False, clock: bool = False) -> str:
    """Return a time element, "" for None.

    A script shows the instant in the reader's time zone: as an age, or as a time of day (`clock`).
    """
    if not at:
        return ""
    at = at.astimezone(UTC)
    attribute = ""
    if age:
        attribute = " data-age"
    elif clock:
        attribute = " data-clock"

    # `strftime` takes four times as long, and a page has a hundred times.
    exact = at.isoformat(" ", "seconds").removesuffix("+00:00")
    shown = f"{at.day} {_MONTHS[at.month]} {exact[:4]}, {exact[11:16]}"
    # Only digits, signs and the names of months are put in, so nothing needs escaping.
    return Markup(  # noqa: S704
        f'<time datetime="{at.isoformat()}" title="{exact} UTC"{attribute}>{shown} UTC</time>'
    )


@bounded_cache(most_bytes=16 * MIB)
def queue_row(row: Hashable) -> SafeString:
    """Return a row of the queue's list; a row with the same values is rendered once."""
    html = get_template("annotations/_row.html").render({"line": row})
    return mark_safe(html)  # noqa: S308 - Jinja2's escaped output


@bounded_cache(most_bytes=16 * MIB)
def event_row(
    entry: Hashable,
    title: str,
    retriever: str,
    delivery: Hashable,
    may_see_people: bool,
) -> SafeString:
    """Return a row of the history; an entry with the same names around it is rendered once.

    `title` is what its ref is called, `retriever` the name of its retriever, "" for none, and
    `delivery` the delivery state of its decision, None for none.
    """
    values = {
        "entry": entry,
        "title": title,
        "retriever": retriever,
        "delivery": delivery,
        "may_see_people": may_see_people,
    }
    html = get_template("audit/_event.html").render(values)
    return mark_safe(html)  # noqa: S308 - Jinja2's escaped output
