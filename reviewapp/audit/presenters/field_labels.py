"""Titles of our own columns and of their values, for the history. Pure.

Mixpeek's own fields (`label`, `tags`, ...) keep Mixpeek's names and are not listed here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

_TITLES = {
    "actor_pseudonym": "Pseudonym",
    "confidence_required": "Confidence required",
    "email": "Email address",
    "expires_at": "Runs out",
    "first_name": "First name",
    "gone_at": "Gone upstream",
    "id": "Number of the row",
    "is_active": "Sign-in",
    "is_staff": "Staff",
    "is_superuser": "Superuser",
    "last_name": "Last name",
    "made_by_id": "Made by",
    "other_allowed": "Other labels",
    "prefix": "Begins with",
    "primary": "Main address",
    "pseudonym": "Pseudonym",
    "reasoning_required": "Reasoning required",
    "result_id": "Evidence",
    "retried_at": "Tried again",
    "revoked_at": "Revoked",
    "role": "Role",
    "starts_from": "The form starts from",
    "total_returned": "Documents returned",
    "uid": "Account at the provider",
    "uncleared": "Still shown at Mixpeek",
    "used_at": "Used",
    "username": "Username",
    "verified": "Verified",
    "withdrawn_at": "Withdrawn",
    "without_author": "Author told to Mixpeek",
}
# The words for false and true.
_BOOLEAN_WORDS = {
    "is_active": ("deactivated", "allowed"),
    "is_staff": ("no", "yes"),
    "is_superuser": ("no", "yes"),
    "other_allowed": ("not allowed", "allowed"),
    "primary": ("no", "yes"),
    "verified": ("no", "yes"),
    "without_author": ("yes", "no"),
}
_CHOICE_WORDS = {
    "confidence_required": {"relabelled": "when relabelled"},
    "reasoning_required": {"relabelled": "when relabelled"},
    "starts_from": {"machine": "the machine's label", "nothing": "nothing chosen"},
}


def title(name: str) -> str:
    """Return the title of a column, "" when its own name is the best there is."""
    return _TITLES.get(name, "")


def word(name: str, value: Any) -> str:
    """Return the word for true, false or a choice in a column of ours, "" for anything else."""
    if isinstance(value, str) and name in _CHOICE_WORDS:
        return _CHOICE_WORDS[name].get(value, "")
    if isinstance(value, bool) and name in _BOOLEAN_WORDS:
        return _BOOLEAN_WORDS[name][value]
    return ""


def instant(name: str, text: str) -> datetime | None:
    """Return the instant that a column of ours holds, None when it holds something else."""
    if not name.endswith("_at") or "." in name:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo:
        return at
    return None
