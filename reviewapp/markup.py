"""Template tags for what pages show a hundred times: each renders its own small template, but only once per value.

Including a template costs far more than what these hold, so what is rendered is kept. They are built into every
template: `{% icon "search" %}`, `{% time at=row.created_at age=True %}`, `{% status row.status %}`, `{% line row %}`.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, datetime
from functools import lru_cache

from django.template import Library
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

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
    """Return an instant, "" for None; a script shows it in the reader's zone, as an age or a time of day if told so."""
    if not at:
        return ""
    at = at.astimezone(UTC)
    pattern = _rendered("_time.html", iso="{iso}", exact="{exact}", shown="{shown}", age=bool(age), clock=bool(clock))
    # Nothing but digits, month names and signs is put in.
    return mark_safe(  # noqa: S308
        pattern.format(iso=at.isoformat(), exact=f"{at:%Y-%m-%d %H:%M:%S}", shown=f"{at.day} {at:%b %Y, %H:%M}")
    )


@register.simple_tag
@lru_cache(maxsize=5000)
def line(line: Hashable) -> SafeString:
    """Return a line of the queue's list; whoever shows the same values gets the same line."""
    return mark_safe(get_template("annotations/_row.html").render({"line": line}))  # noqa: S308


@lru_cache(maxsize=1000)
def _rendered(template: str, **values: object) -> SafeString:
    # Shared by all requests, so that nothing of one gets into it: there is no request at hand.
    return mark_safe(get_template(template).render(values))  # noqa: S308 - Django's own escaped output
