"""What a process and its children hold in memory, as the kernel counts it (Linux)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Megabytes: `rss` counts what processes share once for each of them, `pss` gives each its part."""

    pid: int
    rss: float
    pss: float


def of_tree(pid: int) -> list[Memory]:
    """Return the memory of a process and of everything below it; empty where the kernel does not tell."""
    found = of(pid)
    return [
        *([found] if found else []),
        *(each for child in children(pid) for each in of_tree(child)),
    ]


def of(pid: int) -> Memory | None:
    """Return the memory of one process, None when it is gone or not to be looked at."""
    try:
        return read(pid, (_PROC / str(pid) / "smaps_rollup").read_text())
    except OSError:
        return None


def read(pid: int, rollup: str) -> Memory:
    """Read what `/proc/<pid>/smaps_rollup` says."""
    kilobytes = {
        name: int(rest.split()[0])
        for name, _, rest in (line.partition(":") for line in rollup.splitlines())
        if name in {"Rss", "Pss"}
    }
    return Memory(pid=pid, rss=kilobytes["Rss"] / 1024, pss=kilobytes["Pss"] / 1024)


def children(pid: int) -> list[int]:
    """Return the processes that this one started and that still run; empty where the kernel does not tell."""
    try:
        tasks = list((_PROC / str(pid) / "task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
