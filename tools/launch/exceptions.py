"""Why a launch ends.

LaunchError
├── CannotStart    something outside is in the way; the message says what to change
├── ChildEnded     a process that should stay has ended; the message says which and where its log is
└── Interrupted    a person or the system asked us to stop; not a failure
"""

from __future__ import annotations


class LaunchError(Exception):
    """The launch ends; the message is a sentence for a person."""


class CannotStart(LaunchError):
    """Nothing was left running; mend what the message names and start again."""


class ChildEnded(LaunchError):
    """One process ended by itself, so the rest was stopped; read its log."""


class Interrupted(LaunchError):
    """Stop everything in order and leave quietly."""
