"""Folders and files that only the user who runs reviewapp may read, such as `var`."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


def make_private_folder(folder: Path) -> None:
    """Create `folder` and its parents if needed, and close it to all other users (mode 700).

    A folder that belongs to another user, or is shared like /tmp, is not changed. For root, the
    permission of the folder's group to pass stays: the database's user may need it (see `runas`).
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    is_own = status.st_uid == os.geteuid()
    is_shared = bool(status.st_mode & stat.S_ISVTX)
    if not is_own or is_shared:
        return

    mode = 0o700
    if os.geteuid() == 0:
        mode |= status.st_mode & 0o010
    folder.chmod(mode)


def open_private_file(path: Path) -> BinaryIO:
    """Open `path` for writing, emptied, and readable only by its owner (mode 600)."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    # A file that was there before may have another mode.
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "wb")
