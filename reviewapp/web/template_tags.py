"""Template tags for what pages show a hundred times: each renders its own small template, but only
once per value.

Including a template costs far more than what these hold, so what is rendered is kept. They are
built into every template: `{% icon "search" %}`, `{% time at=row.created_at age=True %}`, `{%
status row.status %}`, `{% line row %}`, `{% top %}`, and `{% kept "app/_part.html" entry=entry %}`
for a part that shows nothing but what it is given by name.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from django.middleware.csrf import get_token
from django.template import Context, Library
from django.template.loader import get_template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from reviewapp.bounded_cache import MIB, bounded_cache

register = Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return an icon of the sprite; there are as many as templates name."""
    return _rendered("_icon.html", name=str(name))


@register.simple_tag
def status(state: str) -> SafeString:
    """Return the chip of an annotation's status."""
    return _rendered("annotations/_status.html", status=str(state))


@register.simple_tag
def time(at: datetime | None, age: bool = False, clock: bool = False) -> str:
    """Return an instant, "" for None; a script shows it in the reader's zone, as an age or a time
    of day if told so.
    """
    if not at:
        return ""
    at = at.astimezone(UTC)
    pattern = _rendered(
        "_time.html",
        iso="{iso}",
        exact="{exact}",
        shown="{shown}",
        age=bool(age),
        clock=bool(clock),
    )
    # Nothing but digits, month names and signs is put in.
    return mark_safe(  # noqa: S308
        pattern.strip().format(
            iso=at.isoformat(), exact=f"{at:%Y-%m-%d %H:%M:%S}", shown=f"{at.day} {at:%b %Y, %H:%M}"
        )
    )


@register.simple_tag
@bounded_cache(most_bytes=16 * MIB)
def line(line: Hashable) -> SafeString:
    """Return a line of the queue's list; whoever shows the same values gets the same line."""
    return mark_safe(get_template("annotations/_row.html").render({"line": line}))  # noqa: S308


@register.simple_tag
def label_buttons(buttons: Iterable[Any], proposed: str | None) -> SafeString:
    """Return the buttons to choose a label with; the one that the machine `proposed` says so."""
    drawn = [
        _rendered("annotations/_label.html", button=one, proposed=one.label == proposed)
        for one in buttons
    ]
    return mark_safe("".join(drawn))  # noqa: S308 - Django's own escaped output


@register.simple_tag
def kept(template: str, **values: object) -> SafeString:
    """Return a part that shows only these values, all of them plain; whoever gives the same ones
    gets the same text.
    """
    plain = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return _rendered(template, **plain)


# Pages that belong to another one's place in the navigation, by the names of their addresses.
_PARTS = {
    "review": "queue",
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
    "invite": "people",
    "person": "people",
}


@register.filter
def part(here: str) -> str:
    """Return which part of the navigation an address belongs to, by the names of both."""
    return _PARTS.get(here, here)


@register.simple_tag(takes_context=True)
def top(context: Context) -> SafeString:
    """Return the head of a page: the same for one person everywhere, but for the address and a
    token put into it.
    """
    request: Any = context.get("request")
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated or person.is_superuser:
        return mark_safe(get_template("_top.html").render({}, request))  # noqa: S308 - Django's own escaped output
    drawn = _top(
        person.get_username(),
        person.theme,
        request.resolver_match.url_name if request.resolver_match else "",
        frozenset(person.get_all_permissions()),
        context.get("attention_count"),
    )
    address = conditional_escape(request.get_full_path())
    return mark_safe(drawn.replace(_TOKEN, get_token(request)).replace(_ADDRESS, address))  # noqa: S308 - escaped


# Stand where each request has something else; nobody's name can hold these characters.
_TOKEN, _ADDRESS = "\ue000token", "\ue000address"


@bounded_cache(most_bytes=4 * MIB)
def _top(
    username: str, theme: str, here: str, held: frozenset[str], attention_count: object
) -> SafeString:
    # A stand-in for the request: it has nothing that the arguments do not say.
    person = SimpleNamespace(is_authenticated=True, get_username=username, theme=theme)
    request = SimpleNamespace(
        user=person, resolver_match={"url_name": here}, get_full_path=_ADDRESS
    )
    perms: dict[str, dict[str, bool]] = {}
    for permission in held:
        app, _, name = permission.partition(".")
        perms.setdefault(app, {})[name] = True
    seen = {
        "request": request,
        "perms": perms,
        "attention_count": attention_count,
        "csrf_token": _TOKEN,
    }
    return mark_safe(get_template("_top.html").render(seen))  # noqa: S308 - Django's own escaped output


@bounded_cache(most_bytes=16 * MIB)
def _rendered(template: str, **values: object) -> SafeString:
    # Shared by all requests, so that nothing of one gets into it: there is no request at hand.
    return mark_safe(get_template(template).render(values))  # noqa: S308 - Django's own escaped output
