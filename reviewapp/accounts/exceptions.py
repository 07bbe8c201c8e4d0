"""What cannot be done to people, each with the sentence that is shown.

Refused
    OnYourself    an admin would shut themselves out
    LastAdmin     nobody would be left who manages people
    LinkIsSpent   the link was used, withdrawn, replaced, or has run out
"""

from __future__ import annotations


class Refused(Exception):
    """What was asked cannot be done; the text says why, to the person who asked."""


class OnYourself(Refused):
    """An admin would take their own rights away: another admin can do it."""


class LastAdmin(Refused):
    """The last active admin would go: make somebody else an admin first."""


class LinkIsSpent(Refused):
    """The link opens nothing any more: ask an admin for a new one."""
