"""The signing secret of an installation without SECRET_KEY: random, readable only by its owner."""

from __future__ import annotations

import fcntl
import os
import secrets
from hashlib import sha256
from pathlib import Path

from reviewapp.postgres.private import make_private_folder


def short_digest(secret: str) -> str:
    """Return eight hex digits that differ for different secrets and reveal nothing of them."""
    return sha256(f"reviewapp.instance {secret}".encode()).hexdigest()[:8]


def read_or_create(path: Path) -> str:
    """Return the secret in the file at `path`; create it first (64 hex digits, mode 600) if needed.

    Processes that start at once wait for the first of them. A file that a crash left empty is
    filled.
    """
    make_private_folder(path.parent)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        secret = file.read().strip()
        if not secret:
            secret = secrets.token_hex(32)
            file.write(secret)
        return secret
