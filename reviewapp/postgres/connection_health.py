"""Is an idle connection still there? Asked before each request, so it must cost no round trip."""

from __future__ import annotations

import select

import psycopg
from psycopg.pq import TransactionStatus


def is_quiet(connection: psycopg.Connection[object]) -> bool:
    """Return whether it is between transactions and the server has said nothing since the last
    answer.

    A server that stops, dies or throws us out closes the socket, which can then be read. A host
    that vanished without a word is noticed by the first query, after `tcp_user_timeout`.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        return False
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return not waiting.poll(0)
