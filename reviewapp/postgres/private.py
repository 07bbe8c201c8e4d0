"""Folders and files of the data folder `var`: for the user who runs reviewapp, and for nobody else."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


def make_private_folder(folder: Path) -> None:
    """Make `folder` and its parents when they are missing, and close it to all other users (mode
    700).

    A folder that is somebody else's, or shared by all like /tmp, stays as it is. Root may have
    opened the folder for its own group to pass, for the database's user (see `runas`): that stays
    too.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    is_shared = bool(found.st_mode & stat.S_ISVTX)

    if found.st_uid != os.geteuid() or is_shared:
        return

    passable = found.st_mode & 0o010 if os.geteuid() == 0 else 0
    folder.chmod(0o700 | passable)


def open_private_file(path: Path) -> BinaryIO:
    """Open `path` for writing, emptied, readable by its owner only (mode 600) whatever it was
    before.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(handle, 0o600)
    return os.fdopen(handle, "wb")
