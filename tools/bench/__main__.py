"""`make bench`: load, serve, measure, report. `python -m tools.bench [--fresh] [--rounds R] N[,N...]`."""

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
from tools.bench.scenarios import Walk
from tools.bench.site import Failed, Site
from tools.bench.stats import median, percentile
from tools.bench.table import Line
from tools.launch.config import ROOT
from tools.launch.exceptions import Interrupted, LaunchError
from tools.launch.signals import watched

_MOST = 10_000_000
_STARTS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every size in one run; returns 0 when there is a table, whatever it says."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description="Measure the product.")
    parser.add_argument("sizes", type=sizes, metavar="N[,N...]", help="how many results to load, 100 or more")
    parser.add_argument("--fresh", action="store_true", help="load anew what an earlier run loaded")
    parser.add_argument("--rounds", type=int, default=60, help="samples of each row (%(default)s)")
    parser.add_argument("--deliveries", type=int, default=400, help="changes to deliver, at most (%(default)s)")
    parser.add_argument("--var", type=Path, default=ROOT / "var" / "bench", help="where the data is kept")
    options = parser.parse_args(arguments)
    try:
        _bench(options)
    except Interrupted:
        _say("Stopped.")
    except (LaunchError, Failed) as error:
        _say(str(error))
        return 1
    return 0


def sizes(text: str) -> list[int]:
    """Return the sizes in `10000,1000000`, smallest first; argparse says what is wrong."""
    words = text.replace("_", "").split(",")
    if not all(word.isascii() and word.isdigit() and 100 <= int(word) <= _MOST for word in words):
        raise argparse.ArgumentTypeError(f"{text!r}: take numbers from 100 to {_MOST}, such as 10000,1000000")
    return sorted({int(word) for word in words})


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
        sites = [
            Site(count=count, folder=folder / str(count), address=address, signals=signals) for count in options.sizes
        ]
        for site in sites:
            stack.callback(site.stop)
            _prepare(site, report, fresh=options.fresh)
        before = os.getloadavg()[0]
        _measure(sites, report, options)
        report.busy = (before, os.getloadavg()[0])
    _keep(folder, report)


def _prepare(site: Site, report: Report, *, fresh: bool) -> None:
    _say(f"Loading {site.count:,} ...")
    started = perf_counter()
    for step in site.prepare(fresh=fresh):
        _say(f"  {step}")
    report.loads[site.count] = perf_counter() - started
    site.start_sandbox()


def _measure(sites: list[Site], report: Report, options: argparse.Namespace) -> None:
    _say("Starting ...")
    for site in sites:
        for _ in range(_STARTS if site is sites[0] else 1):
            for name in ("bare", "web"):
                site.children.stop(name)
                report.starts.setdefault(f"{name}, {site.count:,} results", []).append(site.start(name))
    _say(f"Asking, {options.rounds} rounds ...")
    for count, row, pair, to_view in sampling.sample([Walk(site) for site in sites], rounds=options.rounds):
        report.lines.append(
            Line(
                count=count,
                name=row.name,
                against=row.against,
                aim=row.aim,
                bare=median(pair.bare) * 1000,
                p50=median(pair.ours) * 1000,
                p95=percentile(pair.ours, 0.95) * 1000,
                ratio=pair.ratio,
                view_ratio=to_view.ratio,
            )
        )
    for site in sites:
        for name in ("bare", "web", "sandbox"):
            report.memory[f"{name}, {site.count:,} results"] = memory.of_tree(site.children.pid(name))
    _say("Delivering ...")
    for site in sites:
        site.children.stop("bare", "web")
        report.rates[site.count] = delivery.measure(site, site.children.wait, many=options.deliveries)


def _keep(folder: Path, report: Report) -> None:
    text = report.markdown()
    (folder / "report.md").write_text(text)
    (folder / "report.json").write_text(json.dumps(report.json(), indent=1))
    _say(f"\n{text}\nKept: {folder / 'report.md'} and report.json")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
