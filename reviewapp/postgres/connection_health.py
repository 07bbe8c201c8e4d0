"""Check an idle connection without a round trip, as is done before each request."""

from __future__ import annotations

import select

import psycopg
from psycopg.pq import TransactionStatus


def is_quiet(connection: psycopg.Connection[object]) -> bool:
    """Return whether the connection is outside a transaction and has nothing to read.

    If the server stops, dies or ends the session, it closes the socket, which can then be read. If
    its host disappears, the first query fails after `tcp_user_timeout`.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        return False

    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    events = poll.poll(0)
    return not events
