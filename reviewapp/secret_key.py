"""The signing secret of a clone that nobody configured: made once, random, readable by its owner
only.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from reviewapp.postgres.private import make_private_folder


def kept_in(path: Path) -> str:
    """Return the secret in the file at `path`, making it (64 hex digits, mode 600) when there is
    none yet.

    Processes that start at once wait for the first of them, and a file that a crash left empty is
    filled.
    """
    make_private_folder(path.parent)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        kept = file.read().strip()
        if not kept:
            kept = secrets.token_hex(32)
            file.write(kept)
        return kept
