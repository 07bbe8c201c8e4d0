"""Memory of a process and its children, as the kernel counts it (Linux)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Megabytes: `rss` counts shared memory once for each process, `pss` gives each its part."""

    pid: int
    rss: float
    pss: float


def of_tree(pid: int) -> list[Memory]:
    """Return the memory of a process and of all below it; empty where the kernel does not tell."""
    tree = []
    memory = of(pid)
    if memory:
        tree.append(memory)
    for child in children(pid):
        tree += of_tree(child)
    return tree


def of(pid: int) -> Memory | None:
    """Return the memory of one process, None when it is gone or may not be looked at."""
    try:
        rollup = (_PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:
        return None
    return read(pid, rollup)


def read(pid: int, rollup: str) -> Memory:
    """Parse the text of `/proc/<pid>/smaps_rollup`."""
    kilobytes: dict[str, int] = {}
    for line in rollup.splitlines():
        name, _, value = line.partition(":")
        if name in {"Rss", "Pss"}:
            kilobytes[name] = int(value.split()[0])
    return Memory(pid=pid, rss=kilobytes["Rss"] / 1024, pss=kilobytes["Pss"] / 1024)


def children(pid: int) -> list[int]:
    """Return the running child processes; empty where the kernel does not tell."""
    pids: list[int] = []
    try:
        for task in (_PROC / str(pid) / "task").iterdir():
            pids += [int(child) for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return pids
