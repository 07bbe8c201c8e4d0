"""What Mixpeek does with a null in a PATCH: whether it clears the field is not documented, so it is learnt once.

A server that keeps the value, or refuses the null, is not asked again: what a person cleared then stays visible there
and is treated as the machine's (`Annotation.uncleared`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone

from reviewapp.mixpeek.exceptions import Refused
from reviewapp.sync.models import NullSupport


def clears_null() -> bool:
    """Return whether a null may be sent: the server has never been seen to ignore or refuse one."""
    known = NullSupport.objects.filter(server=_server()).values_list("mode", flat=True).first()
    return known in {None, NullSupport.Mode.CLEARS}


def remember(mode: NullSupport.Mode) -> None:
    """Note what this server does with a null."""
    NullSupport.objects.update_or_create(server=_server(), defaults={"mode": mode, "learnt_at": timezone.now()})


def nulls_in(values: Mapping[str, Any]) -> set[str]:
    """Return the names of the fields that are to be set to null."""
    return {name for name, value in values.items() if value is None}


def without_nulls(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values without those that are null."""
    return {name: value for name, value in values.items() if value is not None}


def is_refused_null(error: Refused, nulls: set[str]) -> bool:
    """Return whether a refusal can be about the nulls that were sent: it names no field, or one of theirs."""
    if not nulls or error.status != 422:
        return False
    named = {name.partition(".")[0] for name in error.fields}
    return not named or bool(named & nulls)


def _server() -> str:
    return str(settings.MIXPEEK_BASE_URL)
