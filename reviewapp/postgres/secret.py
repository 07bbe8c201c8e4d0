"""The signing secret of a clone that nobody configured: made once, random, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def kept_in(path: Path) -> str:
    """Return the secret in the file at `path`, making it (64 hex digits, mode 600) when it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    made = secrets.token_hex(32)
    with os.fdopen(handle, "w") as file:
        file.write(made)
    return made
