"""Recognize the errors that mean that the database cannot be reached. Pure."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

# Connection exceptions, too many connections, server shut down, crashed, or not started yet.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_STATES = ("08", "53300", "57P01", "57P02", "57P03")
RETRY_AFTER = 5


def is_unreachable(error: BaseException | None) -> bool:
    """Return whether there was no connection, or it was lost, so that a retry may help.

    A deadlock or a full disk is not such an error. An error of the driver itself has no SQLSTATE.
    """
    if not isinstance(error, (OperationalError, InterfaceError)):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(_STATES)
