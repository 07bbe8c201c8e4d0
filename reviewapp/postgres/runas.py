"""Choose the user that runs the bundled PostgreSQL, which refuses to run as root.

An ordinary user runs it as themselves. Root runs it as the owner of the data, or as the system user
`reviewapp`, which is created if it is missing. That user must reach the data and the programs,
which may be in a private folder such as /root: it becomes a member of the folder's group, so that
no other user gains rights.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reviewapp.postgres.exceptions import EmbeddedPostgresError

SYSTEM_USER = "reviewapp"


@dataclass(frozen=True, kw_only=True)
class RunAs:
    """The user and groups of the server's processes; `None` for those of this process."""

    user: int | None = None
    group: int | None = None
    extra_groups: tuple[int, ...] | None = None

    def own(self, path: Path) -> None:
        """Make the server's user the owner of `path`, and close it to all others."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)
        path.chmod(0o700)

    def owns(self, path: Path) -> bool:
        """Return whether `path` is a folder, no link, and private to the server's user."""
        try:
            status = path.lstat()
        except OSError:
            return False

        user = self.user
        if user is None:
            user = os.geteuid()
        is_private = status.st_uid == user and status.st_mode & 0o077 == 0
        return stat.S_ISDIR(status.st_mode) and is_private


def server_user(data: Path, *must_reach: Path) -> RunAs:
    """Return the user for the server of `data`, after making `data` and `must_reach` reachable.

    Raises `EmbeddedPostgresError` if this process is root's and the system user can be neither
    found nor created.
    """
    if os.geteuid() != 0:
        return RunAs()

    owner = 0
    if data.exists():
        owner = data.stat().st_uid
    entry = server_account(owner)

    folders: set[Path] = set()
    for path in (data, *must_reach):
        folders.update(path.resolve().parents)
    groups = set()
    for folder in sorted(folders):
        status = folder.stat()
        is_open_to_all = bool(status.st_mode & 0o001)
        if not is_open_to_all:
            # Its own group may then pass through it, not list or read it.
            if not status.st_mode & 0o010:
                folder.chmod(stat.S_IMODE(status.st_mode) | 0o010)
            groups.add(status.st_gid)
    return RunAs(user=entry.pw_uid, group=entry.pw_gid, extra_groups=tuple(sorted(groups)))


def open_programs(programs: Path) -> None:
    """Let all users read and run the wheel's files, which a strict umask at install time closes."""
    # The folder itself is opened last, so these two tell whether all is done.
    first_and_last = (programs / "bin" / "postgres", programs)
    is_open = all(path.stat().st_mode & 0o005 == 0o005 for path in first_and_last)
    if os.geteuid() != 0 or is_open:
        return

    libraries = programs.parent.with_name(f"{programs.parent.name}.libs")
    for path in (*libraries.rglob("*"), libraries, *programs.rglob("*"), programs):
        if not path.exists():
            continue
        mode = path.stat().st_mode | 0o044
        if mode & 0o100:
            mode |= 0o011
        path.chmod(mode)


def server_account(owner: int) -> pwd.struct_passwd:
    """Return the owner's entry; if that is root, the system user's, which is created if needed."""
    if owner != 0:
        return pwd.getpwuid(owner)
    with suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)

    command = [
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/bin/false",
        SYSTEM_USER,
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        return pwd.getpwnam(SYSTEM_USER)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        reason = getattr(error, "stderr", "") or str(error)
        raise EmbeddedPostgresError(
            f"PostgreSQL does not run as root, and the system user {SYSTEM_USER!r} could not be "
            f"made ({reason.strip()}). Run reviewapp as an ordinary user, or set DATABASE_URL."
        ) from error
