"""From the groups that a provider tells to a role of ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def groups_in(claims: Mapping[str, Any], path: str) -> list[str]:
    """Return the groups at `path` in the claims ("groups", or dotted as in "realm_access.roles"); [] when none.

    A name that holds dots itself is looked for first, as providers that spell claims as addresses have it.
    """
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def role_for(groups: Sequence[str], mapped: Mapping[str, str], order: Sequence[str]) -> str:
    """Return the highest role (`order` is lowest first) that one of the groups is mapped to, "" when none is."""
    given = {mapped[group] for group in groups if group in mapped}
    return next((role for role in reversed(order) if role in given), "")
