"""The report of one run: stored as JSON, printed as Markdown."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools.bench import delivery, table
from tools.bench.delivery import Rates
from tools.bench.memory import Memory
from tools.bench.table import Line


@dataclass(kw_only=True)
class Report:
    """Times by row and size, rates and memory by size, seconds to the first answer by server."""

    command: str
    started: str
    rounds: int
    lines: list[Line] = field(default_factory=list)
    rates: dict[int, Rates] = field(default_factory=dict)
    memory: dict[str, list[Memory]] = field(default_factory=dict)
    starts: dict[str, list[float]] = field(default_factory=dict)
    loads: dict[int, float] = field(default_factory=dict)
    busy: tuple[float, float] = (0.0, 0.0)

    def markdown(self) -> str:
        """Return all of it as a document."""
        parts = [self._head(), "", *table.times(self.lines)]
        tables = [
            table.growth(self.lines),
            self._deliveries(),
            self._memory(),
            self._starts(),
        ]
        for rows in tables:
            if rows:
                parts += ["", *rows]
        return "\n".join(parts) + "\n"

    def json(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return {**asdict(self), "machine": machine()}

    def _head(self) -> str:
        load = " to ".join(f"{average:.1f}" for average in self.busy)
        parts = [
            f"`{self.command}`, {self.started}, {machine()}",
            f"load average {load}",
            f"{self.rounds} rounds",
            "milliseconds.",
        ]
        return "; ".join(parts)

    def _deliveries(self) -> list[str]:
        rows = []
        for count, rates in self.rates.items():
            bare = sum(rates.bare) / len(rates.bare)
            for run, share in delivery.lines(rates):
                row = [
                    f"{count:,}",
                    run.way,
                    run.workers,
                    f"{bare:.0f}",
                    f"{run.per_second:.0f}",
                    f"{share:.2f}",
                    f"{run.per_request:.2f}",
                ]
                rows.append(row)
        if not rows:
            return []

        head = [
            "results",
            "delivered",
            "workers",
            "bare PATCH per second",
            "changes per second",
            "share of it per worker",
            "changes per request",
        ]
        return table.markdown(head, rows)

    def _memory(self) -> list[str]:
        rows = []
        for name, processes in self.memory.items():
            if processes:
                pss = sum(process.pss for process in processes)
                rss = max(process.rss for process in processes)
                rows.append([name, len(processes), f"{pss:.0f}", f"{rss:.0f}"])
        if not rows:
            return []

        head = ["memory", "processes", "MB together (PSS)", "MB, the largest (RSS)"]
        return table.markdown(head, rows)

    def _starts(self) -> list[str]:
        rows = []
        for name, starts in self.starts.items():
            cells = [f"{seconds:.1f}" for seconds in starts]
            rows.append([name, *cells])
        if not rows:
            return []

        width = max(len(row) for row in rows)
        head = ["seconds to the first answer", *map(str, range(1, width))]
        return table.markdown(head, rows)


def machine() -> str:
    """Return what kind of machine this is, in a few words and without its name."""
    model = _cpu_model()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} CPUs ({model}), {memory:.0f} GB, Python {platform.python_version()}"


def _cpu_model() -> str:
    file = Path("/proc/cpuinfo")
    if file.exists():
        for line in file.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
