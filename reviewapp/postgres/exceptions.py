"""What can go wrong with the bundled PostgreSQL.

EmbeddedPostgresError   it could not be made, started or reached; the message is a sentence for a
person
"""

from __future__ import annotations


class EmbeddedPostgresError(Exception):
    """The bundled PostgreSQL is not available; read the message, mend it, start again."""
