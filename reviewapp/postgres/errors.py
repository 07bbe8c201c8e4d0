"""Whether an error means that the database cannot be reached, so that what was asked may be asked
again later. Pure.
"""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

# PostgreSQL's own words for it: connection exceptions, too many of them, shut down, crashed, not up
# yet.
_STATES = ("08", "53300", "57P01", "57P02", "57P03")
RETRY_AFTER = 5


def is_unreachable(error: BaseException | None) -> bool:
    """Return whether there was no connection, or it was lost; a deadlock or a full disk is
    something else.

    A driver that got no answer from the server has no SQLSTATE to tell.
    """
    if not isinstance(error, (OperationalError, InterfaceError)):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(_STATES)
