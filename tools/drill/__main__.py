"""`make drill`: prepare, inject faults while people submit, wait until settled, verify.

`python -m tools.drill [--seed S] [--clients C] [--limit SECONDS] [--abuse] [--var FOLDER] N`; exit
code 0 means passed. With `--abuse` there are no faults; instead, one client uses all the resources
it can get, and the others must not notice. The folder keeps the journal, the faults, the logs, the
tables, and the report.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from reviewapp.postgres.exceptions import EmbeddedPostgresError
from tools.bench.site import StepFailed
from tools.drill import collect, journal, plan, verifier
from tools.drill.clients import abuser
from tools.drill.clients.load_process import LoadOptions
from tools.drill.fault_injector import FaultInjector
from tools.drill.report import Report
from tools.drill.site import PASSWORD, WEBS, WORKERS, Site
from tools.launch.config import ROOT, manage, python
from tools.launch.exceptions import Interrupted, LaunchError
from tools.launch.signals import watched

_POLL_SECONDS = 0.25
_WAITING = """
SELECT count(*) FROM outbox_change
WHERE state NOT IN ('delivered', 'conflict', 'refused', 'withdrawn')
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one drill; return 0 if every promise was kept."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.drill",
        description="Break everything, lose nothing.",
    )
    parser.add_argument("submits", type=int, metavar="N", help="how many times somebody submits")
    parser.add_argument("--seed", type=int, default=1, help="the plan to follow (%(default)s)")
    parser.add_argument(
        "--clients",
        type=int,
        default=50,
        help="how many people submit at once (%(default)s)",
    )
    parser.add_argument(
        "--limit",
        type=float,
        help="seconds after which the drill has failed (600 and half a second a submit)",
    )
    parser.add_argument("--abuse", action="store_true", help="an abusive client instead of faults")
    parser.add_argument(
        "--var",
        type=Path,
        default=ROOT / "var" / "drill",
        help="where everything is kept",
    )
    options = parser.parse_args(arguments)
    report = Report(
        command=_command(options),
        started=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        load=os.getloadavg()[0],
    )
    try:
        _drill(options, report)
    except Interrupted:
        report.stopped = "Stopped before its end."
    except (LaunchError, StepFailed, EmbeddedPostgresError) as error:
        report.stopped = str(error)
    _save(options.var.absolute(), report)
    if report.passed:
        return 0
    return 1


def _command(options: argparse.Namespace) -> str:
    command = f"make drill N={options.submits} CLIENTS={options.clients} SEED={options.seed}"
    if options.abuse:
        command += " ABUSE=1"
    return command


def _drill(options: argparse.Namespace, report: Report) -> None:
    folder: Path = options.var.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    limit = options.limit or 600 + options.submits / 2
    deadline = time.monotonic() + limit

    with ExitStack() as stack:
        site = Site(folder=folder, signals=stack.enter_context(watched()))
        stack.callback(site.stop)

        people = [f"reviewer{number + 1:03}" for number in range(options.clients)]
        with _timed(report, "prepare"):
            site.prepare(items=plan.items(options.submits), people=[*people, abuser.PERSON])
            site.start_all()

        faults: list[plan.PlannedFault] = []
        if not options.abuse:
            faults = plan.planned_faults(options.seed, submits=options.submits)
        injector = FaultInjector(site, faults, folder / "faults.jsonl", seed=options.seed)
        report.fault_counts = injector.fault_counts
        report.ended = injector.ended

        with _timed(report, "storm"):
            if options.abuse:
                _start_abuser(site)
            load = _load_options(site, options, people, deadline)
            _run_load(site, injector, load, deadline)
            site.children.stop("abuser")

        with _timed(report, "calm"):
            _wait_until_settled(site, injector, deadline)

        with _timed(report, "judge"):
            site.children.stop(*WEBS, *WORKERS)
            for _ in range(2):
                # The first one may continue an interrupted pass, and skips what that pass has read.
                site.run("pull", manage("pull"))
            entries = journal.read(folder / "journal.jsonl")
            world = collect.gather(site.database.url, site.sandbox, entries)
            report.verdicts = verifier.judge(world, abuse=options.abuse)


def _load_options(
    site: Site,
    options: argparse.Namespace,
    people: list[str],
    deadline: float,
) -> LoadOptions:
    return LoadOptions(
        seed=options.seed,
        submits=options.submits,
        seconds=max(deadline - time.monotonic(), 0),
        web=site.webs,
        sandbox=site.sandbox,
        people=people,
        password=PASSWORD,
        items=site.items(),
        journal=str(site.folder / "journal.jsonl"),
    )


def _start_abuser(site: Site) -> None:
    """Start the abusive client and wait for its first responses, which it keeps in `abuse.json`."""
    command = manage("create_token", abuser.PERSON, "--scope", "decide", "--days", "1")
    site.run("token", command)
    token = site.children.log_tail("token").split()[-1]

    answers = site.folder / "abuse.json"
    options = abuser.AbuserOptions(
        web=site.webs,
        password=PASSWORD,
        token=token,
        items=[pk for pk, _ in site.items()],
        answers=str(answers),
    )
    file = site.folder / "abuser.json"
    options.write(file)
    site.children.start("abuser", python("-m", "tools.drill.clients.abuser", str(file)))
    # It has the lowest priority; without it, the drill would prove nothing.
    while not answers.exists():
        site.children.wait(_POLL_SECONDS)


def _run_load(site: Site, injector: FaultInjector, load: LoadOptions, deadline: float) -> None:
    """Start the load process and inject faults until every reviewer is done."""
    file = site.folder / "orders.json"
    load.write(file)
    command = python("-m", "tools.drill.clients.load_process", str(file))
    site.children.start("crowd", command)

    tenths_printed = 0
    while not injector.crowd_ended:
        site.signals.wait(_POLL_SECONDS)
        done = journal.steps_done(Path(load.journal))
        injector.inject_due(done / load.submits)

        tenths = done * 10 // load.submits
        if tenths > tenths_printed:
            tenths_printed = tenths
            faults = sum(injector.fault_counts.values())
            _print(f"  {done:,} of {load.submits:,} steps, {faults} faults")
        if time.monotonic() > deadline + 30:
            raise StepFailed("The crowd did not come to an end.")

    if injector.crowd_ended != "exit code 0":
        output = site.children.log_tail("crowd")
        raise StepFailed(f"The crowd failed ({injector.crowd_ended}):\n{output}")
    if injector.abuser_ended:
        output = site.children.log_tail("abuser")
        raise StepFailed(f"The abusive client failed ({injector.abuser_ended}):\n{output}")


def _wait_until_settled(site: Site, injector: FaultInjector, deadline: float) -> None:
    """Stop injecting faults and wait until changes wait only for a person."""
    injector.stop()
    waiting = _count_waiting(site)
    while waiting:
        site.signals.wait(1)
        injector.bring_back()
        if time.monotonic() > deadline:
            raise StepFailed(f"{waiting} changes were not settled in time.")
        waiting = _count_waiting(site)


def _count_waiting(site: Site) -> int:
    """Return how many changes are not settled; 1 if the database is down."""
    with suppress(psycopg.OperationalError), psycopg.connect(site.database.url) as connection:
        [(count,)] = connection.execute(_WAITING).fetchall()
        return int(count)
    return 1


@contextmanager
def _timed(report: Report, part: str) -> Iterator[None]:
    _print(f"{part.capitalize()} ...")
    started = time.monotonic()
    try:
        yield
    finally:
        report.seconds[part] = time.monotonic() - started


def _save(folder: Path, report: Report) -> None:
    text = report.markdown()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(text)
    (folder / "report.json").write_text(json.dumps(report.json(), indent=1, default=str))
    _print(f"\n{text}\nKept: {folder}")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
