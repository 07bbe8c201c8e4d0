"""As whom the server runs, and what is opened for it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from reviewapp.postgres.runas import SYSTEM_USER, RunAs, open_programs, server_user

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server another user")


@pytest.mark.skipif(os.geteuid() == 0, reason="root lends the server another user")
def test_it_is_ourselves_for_an_ordinary_user(tmp_path: Path) -> None:
    assert server_user(tmp_path / "postgres") == RunAs()


@as_root
def test_it_is_the_system_user_for_root(tmp_path: Path) -> None:
    run_as = server_user(tmp_path / "postgres")
    assert run_as.user == pwd.getpwnam(SYSTEM_USER).pw_uid != 0


@as_root
def test_it_is_the_owner_of_data_that_is_there(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    data.mkdir()
    owner = pwd.getpwnam("nobody")
    os.chown(data, owner.pw_uid, owner.pw_gid)
    assert server_user(data).user == owner.pw_uid


@as_root
def test_it_opens_a_private_folder_for_its_group_to_pass_and_no_further(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    run_as = server_user(private / "postgres")
    assert private.stat().st_mode & 0o777 == 0o710
    assert private.stat().st_gid in (run_as.extra_groups or ())


@as_root
def test_it_opens_programs_that_a_strict_umask_closed(tmp_path: Path) -> None:
    programs = tmp_path / "wheel" / "pginstall"
    for folder in (programs / "bin", tmp_path / "wheel.libs"):
        folder.mkdir(parents=True, mode=0o700)
    for path, mode in (
        (programs / "bin" / "postgres", 0o700),
        (tmp_path / "wheel.libs" / "libpq.so", 0o600),
    ):
        path.touch()
        path.chmod(mode)
    programs.chmod(0o700)
    open_programs(programs)
    assert (programs / "bin" / "postgres").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "wheel.libs" / "libpq.so").stat().st_mode & 0o777 == 0o644
    assert (
        programs.stat().st_mode & 0o777 == (tmp_path / "wheel.libs").stat().st_mode & 0o777 == 0o755
    )


def test_it_tells_a_private_folder_from_others(tmp_path: Path) -> None:
    run_as = RunAs()
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "private").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "private")
    assert run_as.owns(tmp_path / "private")
    assert not any(run_as.owns(tmp_path / name) for name in ("open", "link", "missing"))
