"""`make bench`: load, serve, measure, report.

Usage: `python -m tools.bench [--fresh] [--rounds R] N[,N...]`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from reviewapp.postgres import server
from tools.bench import delivery, memory, sampling
from tools.bench.report import Report
from tools.bench.scenarios import SiteClients
from tools.bench.site import Site, StepFailed
from tools.bench.stats import median, percentile
from tools.bench.table import Line
from tools.launch.config import ROOT
from tools.launch.exceptions import Interrupted, LaunchError
from tools.launch.signals import watched

_MIN_SIZE = 100
_MAX_SIZE = 10_000_000
_STARTS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every size in one run; returns 0 when there is a table, whatever it says."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench",
        description="Measure the product.",
    )
    parser.add_argument(
        "sizes",
        type=sizes,
        metavar="N[,N...]",
        help="how many results to load, 100 or more",
    )
    parser.add_argument("--fresh", action="store_true", help="load anew what an earlier run loaded")
    parser.add_argument("--rounds", type=int, default=60, help="samples of each row (%(default)s)")
    parser.add_argument(
        "--deliveries",
        type=int,
        default=400,
        help="changes to deliver, at most (%(default)s)",
    )
    parser.add_argument(
        "--var",
        type=Path,
        default=ROOT / "var" / "bench",
        help="where the data is kept",
    )
    options = parser.parse_args(arguments)
    try:
        _bench(options)
    except Interrupted:
        _print("Stopped.")
    except (LaunchError, StepFailed) as error:
        _print(str(error))
        return 1
    return 0


def sizes(text: str) -> list[int]:
    """Return the sizes in `10000,1000000`, smallest first; argparse reports what is wrong."""
    numbers: set[int] = set()
    for word in text.replace("_", "").split(","):
        is_number = word.isascii() and word.isdigit()
        if not is_number or not _MIN_SIZE <= int(word) <= _MAX_SIZE:
            hint = f"take numbers from {_MIN_SIZE} to {_MAX_SIZE}, such as 10000,1000000"
            raise argparse.ArgumentTypeError(f"{text!r}: {hint}")
        numbers.add(int(word))
    return sorted(numbers)


def _bench(options: argparse.Namespace) -> None:
    report = Report(
        command=f"make bench N={','.join(map(str, options.sizes))}",
        started=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        rounds=options.rounds,
    )
    folder: Path = options.var.absolute()
    with ExitStack() as stack:
        signals = stack.enter_context(watched())
        stack.callback(server.leave_all)
        address = server.join(folder / "postgres")

        sites: list[Site] = []
        for count in options.sizes:
            site = Site(
                count=count,
                folder=folder / str(count),
                address=address,
                signals=signals,
            )
            sites.append(site)

        for site in sites:
            stack.callback(site.stop)
            _prepare(site, report, fresh=options.fresh)

        load_before = os.getloadavg()[0]
        _measure(sites, report, options)
        report.busy = (load_before, os.getloadavg()[0])
    _save(folder, report)


def _prepare(site: Site, report: Report, *, fresh: bool) -> None:
    _print(f"Loading {site.count:,} ...")
    started = perf_counter()
    for step in site.prepare(fresh=fresh):
        _print(f"  {step}")
    report.loads[site.count] = perf_counter() - started
    site.start_sandbox()


def _measure(sites: list[Site], report: Report, options: argparse.Namespace) -> None:
    _print("Starting ...")
    _measure_starts(sites, report)

    _print(f"Asking, {options.rounds} rounds ...")
    clients = [SiteClients(site) for site in sites]
    for count, scenario, pair, view_pair in sampling.sample(clients, rounds=options.rounds):
        line = Line(
            count=count,
            name=scenario.name,
            against=scenario.against,
            aim=scenario.aim,
            bare=median(pair.bare) * 1000,
            p50=median(pair.ours) * 1000,
            p95=percentile(pair.ours, 0.95) * 1000,
            ratio=pair.ratio,
            view_ratio=view_pair.ratio,
        )
        report.lines.append(line)

    for site in sites:
        for name in ("bare", "web", "sandbox"):
            pid = site.children.pid(name)
            report.memory[f"{name}, {site.count:,} results"] = memory.of_tree(pid)

    _print("Delivering ...")
    for site in sites:
        site.children.stop("bare", "web")
        wait = site.children.wait
        report.rates[site.count] = delivery.measure(site, wait, many=options.deliveries)


def _measure_starts(sites: list[Site], report: Report) -> None:
    for index, site in enumerate(sites):
        # The servers of the first site are started several times, those of the others once.
        starts = _STARTS if index == 0 else 1
        for _ in range(starts):
            for name in ("bare", "web"):
                site.children.stop(name)
                seconds = site.start(name)
                row = f"{name}, {site.count:,} results"
                report.starts.setdefault(row, []).append(seconds)


def _save(folder: Path, report: Report) -> None:
    text = report.markdown()
    (folder / "report.md").write_text(text)
    (folder / "report.json").write_text(json.dumps(report.json(), indent=1))
    _print(f"\n{text}\nKept: {folder / 'report.md'} and report.json")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
