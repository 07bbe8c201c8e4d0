"""What can go wrong with a backup.

BackupError   it was not made or not restored; the message is a sentence for a person, and nothing
was changed
"""

from __future__ import annotations


class BackupError(Exception):
    """The backup was not made, or not restored, and the database is as it was."""
