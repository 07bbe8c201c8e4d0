"""Map the groups of an identity provider to one of our roles. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def groups_in(claims: Mapping[str, Any], path: str) -> list[str]:
    """Return the groups at `path` in the claims: "groups", or dotted as in "realm_access.roles".

    A claim whose name itself has dots comes first, because some providers use URLs as names.
    """
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for name in path.split("."):
            if not isinstance(value, Mapping):
                return []
            value = value.get(name)

    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        return []
    return [group for group in value if isinstance(group, str)]


def role_for(groups: Sequence[str], mapped: Mapping[str, str], order: Sequence[str]) -> str:
    """Return the highest role to which a group is mapped; "" for none. `order` is lowest first."""
    granted = {mapped[group] for group in groups if group in mapped}
    for role in reversed(order):
        if role in granted:
            return role
    return ""
