"""A form's base: the values and the standing decision that the person saw (`Annotation.seen`).

It travels through the browser as JSON. A long value does not: `digests` holds its digest instead,
and the server finds the value again, in the annotation or in its history.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from reviewapp.annotations import payload as payloads
from reviewapp.annotations.fields import FIELDS, PERSONAL_FIELDS
from reviewapp.annotations.models import Annotation
from reviewapp.audit.models import Event
from reviewapp.json_values import canonical

# The base comes back as it was rendered, so it may hold more than a person may type.
_MAX_BYTES = 1024 * 1024
_MAX_LEVELS = 200
# In characters of JSON; a longer value travels as its digest.
_MAX_VALUE_LENGTH = 4 * 1024
# How many events of an annotation are searched for a value that it had.
_MAX_EVENTS = 200

DAMAGED = gettext_lazy(
    "This form is damaged and was not saved. Copy what you typed, reload the page and submit again."
)


def write_base(seen: Mapping[str, Any]) -> str:
    """Return a base as the form carries it."""
    return json.dumps(without_long_values(seen))


def without_long_values(base: Mapping[str, Any]) -> dict[str, Any]:
    """Return a base with the digests of its long values in place of these."""
    digests = dict(base.get("digests", {}))
    short = {}
    for name, value in base.items():
        if name in FIELDS and _is_long(value):
            digests[name] = _digest(value)
        elif name != "digests":
            short[name] = value

    if digests:
        short["digests"] = dict(sorted(digests.items()))
    return short


def long_fields(base_text: str) -> list[str]:
    """Return the fields that a form with this base starts with and whose values it does not hold.

    None if the base is damaged.
    """
    try:
        base = parse_base(base_text)
    except ValidationError:
        return []

    given = base.get("given", ())
    digests = base.get("digests", {})
    return [name for name in digests if name not in PERSONAL_FIELDS or name in given]


def read_base(text: str, annotation: Annotation) -> dict[str, Any]:
    """Parse a base and find its long values again; raises `ValidationError` when it is damaged."""
    return with_long_values(parse_base(text), annotation)


def parse_base(text: str) -> dict[str, Any]:
    """Parse a base, which may hold digests; raises `ValidationError` when it is damaged."""
    try:
        base = payloads.read(text, most_bytes=_MAX_BYTES, most_levels=_MAX_LEVELS)
    except payloads.BadPayload as error:
        raise ValidationError(DAMAGED) from error

    digests = base.get("digests", {})
    if not isinstance(digests, dict) or not digests.keys() <= FIELDS.keys() - base.keys():
        raise ValidationError(DAMAGED)

    # A form that was rendered before a field existed does not hold it.
    for name, field in FIELDS.items():
        if not field.is_required and name not in digests:
            base.setdefault(name, field.blank)

    # Old forms have no `given`.
    given = base.get("given", [])
    if not isinstance(given, list) or not set(map(str, given)) <= set(PERSONAL_FIELDS):
        raise ValidationError(DAMAGED)
    if {*base, *digests} - {"given", "digests"} != {*FIELDS, "decision"}:
        raise ValidationError(DAMAGED)
    decision = base["decision"]
    if not isinstance(decision, int | None) or isinstance(decision, bool):
        raise ValidationError(DAMAGED)
    for name, field in FIELDS.items():
        if name in base and not field.can_hold(base[name]):
            raise ValidationError(DAMAGED)
    return base


def with_long_values(base: Mapping[str, Any], annotation: Annotation) -> dict[str, Any]:
    """Return a base with the values of its digests; raises `ValidationError` for unknown ones."""
    whole = {name: value for name, value in base.items() if name != "digests"}
    for name, digest in base.get("digests", {}).items():
        whole[name] = _find_value(annotation, name, digest)
    return whole


def _find_value(annotation: Annotation, name: str, digest: object) -> Any:
    for values in (annotation.values(), annotation.upstream, annotation.proposed):
        if name in values and _digest(values[name]) == digest:
            return values[name]

    # It was changed since the form was rendered.
    events = Event.objects.about(annotation.ref).filter(changes__has_key=name)
    for changes in events.values_list("changes", flat=True)[:_MAX_EVENTS].iterator(chunk_size=1):
        for value in changes[name]:
            if _digest(value) == digest:
                return value
    raise ValidationError(DAMAGED)


def _is_long(value: object) -> bool:
    if isinstance(value, dict):
        return len(json.dumps(value)) > _MAX_VALUE_LENGTH
    return isinstance(value, str) and len(value) > _MAX_VALUE_LENGTH


def _digest(value: object) -> str:
    text = json.dumps(canonical(value), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
