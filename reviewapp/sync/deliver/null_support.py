"""What a Mixpeek server does with a null in a PATCH: undocumented, so learnt from the first reply.

A server that keeps the value or refuses the null is sent no more nulls. What a person cleared then
stays visible there and is treated as the machine's (`Annotation.uncleared`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone

from reviewapp.mixpeek.exceptions import Refused
from reviewapp.sync.models import NullSupport


def clears_null() -> bool:
    """Return whether to send nulls: the server is not known to ignore or refuse them."""
    modes = NullSupport.objects.filter(server=settings.MIXPEEK_BASE_URL)
    mode = modes.values_list("mode", flat=True).first()
    return mode in {None, NullSupport.Mode.CLEARS}


def remember_mode(mode: NullSupport.Mode) -> None:
    """Store what this server does with a null."""
    NullSupport.objects.update_or_create(
        server=settings.MIXPEEK_BASE_URL,
        defaults={"mode": mode, "learnt_at": timezone.now()},
    )


def nulls_in(values: Mapping[str, Any]) -> set[str]:
    """Return the names of the fields that are null."""
    return {name for name, value in values.items() if value is None}


def without_nulls(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values without those that are null."""
    return {name: value for name, value in values.items() if value is not None}


def is_refused_null(error: Refused, nulls: set[str]) -> bool:
    """Return whether a refusal may be about the nulls: it names no field, or one of them."""
    if not nulls or error.status != 422:
        return False
    names = refused_names(error)
    return not names or bool(names & nulls)


def refused_names(error: Refused) -> set[str]:
    """Return the names of the fields that a refusal is about."""
    return {name.partition(".")[0] for name in error.fields}
