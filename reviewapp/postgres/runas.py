"""As whom the bundled PostgreSQL runs: it refuses to be root, so root lends it a system user.

An ordinary user runs it as themselves. Root runs it as whoever owns the data, or as the system user
`reviewapp`, made when it is missing. That user must reach the data and the programs, which may lie
under a private folder such as /root; it is let through by group membership, so nobody else's rights
grow.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from reviewapp.postgres.exceptions import EmbeddedPostgresError

SYSTEM_USER = "reviewapp"


@dataclass(frozen=True, kw_only=True)
class RunAs:
    """The user and groups of the server's processes; `None` where they are simply our own."""

    user: int | None = None
    group: int | None = None
    extra_groups: tuple[int, ...] | None = None

    def own(self, path: Path) -> None:
        """Give `path` to the server's user and to nobody else."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)
        path.chmod(0o700)

    def owns(self, path: Path) -> bool:
        """Tell whether `path` is a real folder, private to the server's user."""
        try:
            found = path.lstat()
        except OSError:
            return False
        user = os.geteuid() if self.user is None else self.user
        return stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o077


def server_user(data: Path, *must_reach: Path) -> RunAs:
    """Return as whom the server of `data` runs, with the way to `data` and `must_reach` open to
    them.

    Raises `EmbeddedPostgresError` when we are root and the system user can be neither found nor
    made.
    """
    if os.geteuid() != 0:
        return RunAs()
    owner = data.stat().st_uid if data.exists() else 0
    entry = pwd.getpwuid(owner) if owner else _system_user()
    folders = {parent for path in (data, *must_reach) for parent in path.resolve().parents}
    groups = {
        _let_group_through(folder)
        for folder in sorted(folders)
        if not folder.stat().st_mode & 0o001
    }
    return RunAs(user=entry.pw_uid, group=entry.pw_gid, extra_groups=tuple(sorted(groups)))


def open_programs(programs: Path) -> None:
    """Let everybody read and run the wheel's files, as a strict umask at install time leaves them
    closed.
    """
    asked = (programs / "bin" / "postgres", programs)  # the folder itself is opened last
    if os.geteuid() != 0 or all(path.stat().st_mode & 0o005 == 0o005 for path in asked):
        return
    libraries = programs.parent.with_name(f"{programs.parent.name}.libs")
    for path in (*libraries.rglob("*"), libraries, *programs.rglob("*"), programs):
        if path.exists():
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & 0o100 else 0o044))


def _let_group_through(folder: Path) -> int:
    """Allow the folder's own group to pass (not to list or read), and return that group."""
    found = folder.stat()
    if not found.st_mode & 0o010:
        folder.chmod(stat.S_IMODE(found.st_mode) | 0o010)
    return found.st_gid


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    command = ["useradd", "--system", "--user-group", "--no-create-home"]
    command += ["--home-dir", "/nonexistent", "--shell", "/bin/false", SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - constants only
        return pwd.getpwnam(SYSTEM_USER)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        why = getattr(error, "stderr", "") or str(error)
        raise EmbeddedPostgresError(
            f"PostgreSQL does not run as root, and the system user {SYSTEM_USER!r} could not be made "
            f"({why.strip()}). Run reviewapp as an ordinary user, or set DATABASE_URL."
        ) from error
