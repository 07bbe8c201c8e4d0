"""`make drill`: prepare, let the crowd loose while everything breaks, calm down, judge. See `--help`.

`python -m tools.drill [--seed S] [--clients C] [--limit SECONDS] [--abuse] [--var FOLDER] N`; exit
code 0 means passed. With `--abuse` nothing is broken; one client uses up all it can instead, and
the others must not notice. What happened is kept in the folder: the journal, the faults, the logs,
the tables, and the report.
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
from tools.drill.clients.load_process import Orders
from tools.drill.fault_injector import Blows
from tools.drill.report import Report
from tools.drill.site import PASSWORD, WEBS, WORKERS, Site
from tools.launch.config import ROOT, manage, python
from tools.launch.exceptions import Interrupted, LaunchError
from tools.launch.signals import watched

_LOOK = 0.25
_WAITING = "SELECT count(*) FROM outbox_change WHERE state NOT IN ('delivered', 'conflict', 'refused', 'withdrawn')"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one drill; returns 0 when every promise was kept."""
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
    _keep(options.var.absolute(), report)
    return 0 if report.passed else 1


def _command(options: argparse.Namespace) -> str:
    command = f"make drill N={options.submits} CLIENTS={options.clients} SEED={options.seed}"
    return f"{command} ABUSE=1" if options.abuse else command


def _drill(options: argparse.Namespace, report: Report) -> None:
    folder: Path = options.var.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    until = time.monotonic() + (options.limit or 600 + options.submits / 2)
    with ExitStack() as stack:
        site = Site(folder=folder, signals=stack.enter_context(watched()))
        stack.callback(site.stop)
        with _timed(report, "prepare"):
            people = [f"reviewer{number + 1:03}" for number in range(options.clients)]
            site.prepare(items=plan.items(options.submits), people=[*people, abuser.PERSON])
            site.start_all()
        planned = [] if options.abuse else plan.blows(options.seed, submits=options.submits)
        blows = Blows(site, planned, folder / "faults.jsonl", seed=options.seed)
        report.dealt, report.ended = blows.dealt, blows.ended
        with _timed(report, "storm"):
            if options.abuse:
                _abuse(site)
            _storm(site, blows, _orders(site, options, people, until), until)
            site.children.stop("abuser")
        with _timed(report, "calm"):
            _calm(site, blows, until)
        with _timed(report, "judge"):
            site.children.stop(*WEBS, *WORKERS)
            for _ in range(2):
                # The first one goes on with a walk that was cut off, and does not look again at
                # what that had seen.
                site.run("pull", manage("pull"))
            world = collect.gather(
                site.database.url,
                site.sandbox,
                journal.read(folder / "journal.jsonl"),
            )
            report.verdicts = verifier.judge(world, abuse=options.abuse)


def _orders(site: Site, options: argparse.Namespace, people: list[str], until: float) -> Orders:
    return Orders(
        seed=options.seed,
        submits=options.submits,
        seconds=max(until - time.monotonic(), 0),
        web=site.webs,
        sandbox=site.sandbox,
        people=people,
        password=PASSWORD,
        items=site.items(),
        journal=str(site.folder / "journal.jsonl"),
    )


def _abuse(site: Site) -> None:
    """Let the abusive client loose; how it is answered is in `abuse.json`."""
    site.run("token", manage("create_token", abuser.PERSON, "--scope", "decide", "--days", "1"))
    orders = abuser.Orders(
        web=site.webs,
        password=PASSWORD,
        token=site.children.last_words("token").split()[-1],
        items=[pk for pk, _ in site.items()],
        answers=str(site.folder / "abuse.json"),
    )
    file = site.folder / "abuser.json"
    orders.write(file)
    site.children.start("abuser", python("-m", "tools.drill.clients.abuser", str(file)))


def _storm(site: Site, blows: Blows, orders: Orders, until: float) -> None:
    """Let the crowd loose and deal the blows until everybody is done."""
    file = site.folder / "orders.json"
    orders.keep(file)
    site.children.start("crowd", python("-m", "tools.drill.clients.load_process", str(file)))
    said = 0
    while not blows.crowd_ended:
        site.signals.wait(_LOOK)
        done = journal.steps_done(Path(orders.journal))
        blows.go_on(done / orders.submits)
        if done * 10 // orders.submits > said:
            said = done * 10 // orders.submits
            _say(f"  {done:,} of {orders.submits:,} steps, {sum(blows.dealt.values())} faults")
        if time.monotonic() > until + 30:
            raise StepFailed("The crowd did not come to an end.")
    if blows.crowd_ended != "exit code 0":
        raise StepFailed(
            f"The crowd failed ({blows.crowd_ended}):\n{site.children.last_words('crowd')}",
        )
    if blows.abuser_ended:
        raise StepFailed(
            f"The abusive client failed ({blows.abuser_ended}):\n{site.children.last_words('abuser')}",
        )


def _calm(site: Site, blows: Blows, until: float) -> None:
    """Stop breaking things and wait until nothing waits but for a person."""
    blows.calm()
    while waiting := _waiting(site):
        site.signals.wait(1)
        blows.bring_back()
        if time.monotonic() > until:
            raise StepFailed(f"{waiting} changes were not settled in time.")


def _waiting(site: Site) -> int:
    with suppress(psycopg.OperationalError), psycopg.connect(site.database.url) as connection:
        return int((connection.execute(_WAITING).fetchone() or (1,))[0])
    return 1


@contextmanager
def _timed(report: Report, part: str) -> Iterator[None]:
    _say(f"{part.capitalize()} ...")
    began = time.monotonic()
    try:
        yield
    finally:
        report.seconds[part] = time.monotonic() - began


def _keep(folder: Path, report: Report) -> None:
    text = report.markdown()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(text)
    (folder / "report.json").write_text(json.dumps(report.json(), indent=1, default=str))
    _say(f"\n{text}\nKept: {folder}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
