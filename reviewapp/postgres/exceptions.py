"""What can go wrong with PostgreSQL.

EmbeddedPostgresError   the bundled one could not be made, started or reached; the message is a
sentence for a person
`is_unreachable`        whether an error of Django's means that the database cannot be reached
"""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

# Connection exceptions, too many connections, server shut down, crashed, or not started yet.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_STATES = ("08", "53300", "57P01", "57P02", "57P03")
RETRY_AFTER = 5


class EmbeddedPostgresError(Exception):
    """The bundled PostgreSQL is not available; read the message, mend it, start again."""


def is_unreachable(error: BaseException | None) -> bool:
    """Return whether there was no connection, or it was lost, so that a retry may help. Pure.

    A deadlock or a full disk is not such an error. An error of the driver itself has no SQLSTATE.
    """
    if not isinstance(error, (OperationalError, InterfaceError)):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(_STATES)
