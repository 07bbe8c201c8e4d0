"""Titles of our own columns and of their values, for the history. Pure.

Mixpeek's own fields (`label`, `tags`, ...) keep Mixpeek's names and are not listed here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# The column with what others changed at Mixpeek before a delivery, by field.
MERGED = "merged"
_TITLES = {
    "actor_pseudonym": _("Pseudonym"),
    "confidence_required": _("Confidence required"),
    "email": _("Email address"),
    "expires_at": _("Expires"),
    "finished_at": _("Finished"),
    "first_name": _("First name"),
    "gone_at": _("Gone from Mixpeek"),
    "id": _("Number of the row"),
    "is_active": _("Sign-in"),
    "is_staff": _("Staff"),
    "is_superuser": _("Superuser"),
    "last_name": _("Last name"),
    "made_by_id": _("Created by"),
    "options": _("Options"),
    "other_allowed": _("Other labels"),
    "prefix": _("Starts with"),
    "primary": _("Main address"),
    "pseudonym": _("Pseudonym"),
    "reasoning_required": _("Reasoning required"),
    "result_id": _("Evidence"),
    "retried_at": _("Retried"),
    "revoked_at": _("Revoked"),
    "role": _("Role"),
    "size": _("Bytes"),
    "starts_from": _("The form starts from"),
    "total_returned": _("Documents returned"),
    "uid": _("Account at the provider"),
    "uncleared": _("Still shown at Mixpeek"),
    "used_at": _("Used"),
    "username": _("Username"),
    "verified": _("Verified"),
    "withdrawn_at": _("Withdrawn"),
    "without_author": _("Author told to Mixpeek"),
}
# The words for false and true.
_BOOLEAN_WORDS = {
    "is_active": (_("deactivated"), _("allowed")),
    "is_staff": (_("no"), _("yes")),
    "is_superuser": (_("no"), _("yes")),
    "other_allowed": (_("not allowed"), _("allowed")),
    "primary": (_("no"), _("yes")),
    "verified": (_("no"), _("yes")),
    "without_author": (_("yes"), _("no")),
}
_CHOICE_WORDS = {
    "confidence_required": {"relabelled": _("when relabelled")},
    "reasoning_required": {"relabelled": _("when relabelled")},
    "starts_from": {"machine": _("the machine's label"), "nothing": _("nothing chosen")},
}


def title(name: str) -> str:
    """Return the title of a column, "" when its own name is the best there is."""
    column, _dot, field = name.partition(".")
    if column == MERGED and field:
        return gettext("%(field)s, kept as changed at Mixpeek") % {"field": field}
    return str(_TITLES.get(name, ""))


def word(name: str, value: Any) -> str:
    """Return the word for true, false or a choice in a column of ours, "" for anything else."""
    if isinstance(value, str) and name in _CHOICE_WORDS:
        return str(_CHOICE_WORDS[name].get(value, ""))
    if isinstance(value, bool) and name in _BOOLEAN_WORDS:
        return str(_BOOLEAN_WORDS[name][value])
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
