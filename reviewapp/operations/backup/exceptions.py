"""Why a backup or a restore fails.

BackupError   nothing was changed; the message is a sentence for a person
"""

from __future__ import annotations


class BackupError(Exception):
    """The backup was not made, or not restored, and the database is as it was."""
