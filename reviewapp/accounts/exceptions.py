"""Exceptions for actions on people that are refused; each text is shown to the actor.

ActionRefused
    SelfLockout    an admin would shut themselves out: another admin can do it
    LastAdmin      no active admin would be left: make somebody else an admin first
    InvalidLink    the link was used, withdrawn or replaced, or has expired: ask for a new one
"""

from __future__ import annotations


class ActionRefused(Exception):
    """The action is not possible; the text says why, for the person who tried it."""


class SelfLockout(ActionRefused):
    """An admin would take their own rights away."""


class LastAdmin(ActionRefused):
    """The last active admin would lose the role or the sign-in."""


class InvalidLink(ActionRefused):
    """The link was used, withdrawn or replaced, or has expired."""
