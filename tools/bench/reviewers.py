"""`make bench-reviewers`: how long the decisions of eight busy reviewers wait for delivery.

Eight windows decide at a steady pace through the web server, most of them confirming the label,
while one worker delivers with a small budget of requests a minute. The lag runs from the answer to
a submit to its settled change.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg

from reviewapp.postgres import server
from tools.bench.delivery import postpone_all_jobs
from tools.bench.http_client import TimedClient, form_fields
from tools.bench.site import Site, StepFailed
from tools.bench.stats import percentile
from tools.launch.config import ROOT, manage
from tools.launch.exceptions import Interrupted, LaunchError
from tools.launch.signals import watched

REVIEWERS = 8
_SECONDS_EACH = 5
_CONFIRMED = 0.7
_RESULTS = 10_000
_COLUMNS = (
    "requests a minute",
    "relabels",
    "lag, s",
    "confirmations",
    "lag, s",
    "without author",
    "still waiting",
)
_RELABEL = {
    "choice": "",
    "label": "looked at",
    "new_label": "looked at",
    "reasoning": "It is another one.",
}
# What waits longer than this after the last submit is counted as waiting.
_PATIENCE = 600

_OPEN = """
SELECT a.id FROM annotations_annotation a
WHERE a.status = 'waiting' AND a.version = 1
    AND NOT EXISTS (SELECT 1 FROM outbox_change c WHERE c.ref = a.ref)
ORDER BY a.id LIMIT %s
"""
_WAITING = "SELECT count(*) FROM outbox_change WHERE id > %s AND state = 'queued'"
_LAGS = """
SELECT verb, extract(epoch FROM settled_at - created_at)::float, without_author
FROM outbox_change WHERE id > %s AND state = 'delivered'
"""


@dataclass(frozen=True, kw_only=True)
class Lags:
    """The lags under one budget (requests a minute): seconds that delivered decisions waited."""

    budget: int
    relabels: list[float]
    confirmations: list[float]
    without_author: int
    waiting: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every budget in turn and print a table; returns 1 when something failed."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.reviewers", description=__doc__)
    parser.add_argument(
        "--budgets",
        default="60,600",
        help="requests a minute, in turn (%(default)s)",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=4,
        help="for how long the reviewers decide (%(default)s)",
    )
    parser.add_argument(
        "--var",
        type=Path,
        default=ROOT / "var" / "bench-reviewers",
        help="where the data is kept",
    )
    options = parser.parse_args(arguments)
    try:
        _bench(
            [int(budget) for budget in options.budgets.split(",")],
            options.minutes,
            options.var.absolute(),
        )
    except Interrupted:
        _print("Stopped.")
    except (LaunchError, StepFailed) as error:
        _print(str(error))
        return 1
    return 0


def _bench(budgets: Sequence[int], minutes: float, folder: Path) -> None:
    with ExitStack() as stack:
        signals = stack.enter_context(watched())
        stack.callback(server.leave_all)
        address = server.join(folder / "postgres")

        measured: list[Lags] = []
        for budget in budgets:
            variables = {"MIXPEEK_REQUESTS_PER_MINUTE": str(budget), "UNDO_SECONDS": "0"}
            site = Site(
                count=_RESULTS,
                folder=folder / str(_RESULTS),
                address=address,
                signals=signals,
                variables=variables,
            )
            stack.callback(site.stop)
            _print(f"{budget} requests a minute: loading ...")
            site.prepare(fresh=False)
            measured.append(_measure(site, budget, minutes))
            site.stop()

    for line in lines(measured, minutes):
        _print(line)


def _measure(site: Site, budget: int, minutes: float) -> Lags:
    per_reviewer = int(minutes * 60 / _SECONDS_EACH)
    with psycopg.connect(site.url, autocommit=True) as connection:
        postpone_all_jobs(connection)
        newest = _number(connection, "SELECT coalesce(max(id), 0) FROM outbox_change")
        rows = connection.execute(_OPEN, [REVIEWERS * per_reviewer]).fetchall()
        items = [pk for (pk,) in rows]

        site.start_sandbox()
        site.start("web")
        site.children.start("worker1", manage("work"))

        task = f"{REVIEWERS} reviewers decide {per_reviewer} items each"
        _print(f"{budget} requests a minute: {task} ...")
        _decide_in_parallel(site, items)

        deadline = time.monotonic() + _PATIENCE
        while _number(connection, _WAITING, newest) and time.monotonic() < deadline:
            site.children.wait(1)

        delivered = connection.execute(_LAGS, [newest]).fetchall()
        waiting = _number(connection, _WAITING, newest)

    return Lags(
        budget=budget,
        relabels=[lag for verb, lag, _ in delivered if verb != "confirm"],
        confirmations=[lag for verb, lag, _ in delivered if verb == "confirm"],
        without_author=sum(without_author for *_, without_author in delivered),
        waiting=waiting,
    )


def _decide_in_parallel(site: Site, items: Sequence[int]) -> None:
    # So many sign-ins at once are refused, so they are eight windows of one person.
    person = TimedClient(site.addresses["web"])
    person.sign_in("reviewer", "reviewer-demo")

    with ThreadPoolExecutor(REVIEWERS) as pool:
        futures = []
        for number in range(REVIEWERS):
            own_items = items[number::REVIEWERS]
            futures.append(pool.submit(_decide_all, person, own_items, seed=number))

    for future in futures:
        future.result()


def _decide_all(person: TimedClient, items: Sequence[int], *, seed: int) -> None:
    """Decide the items in one window of this person, at a steady pace."""
    generator = random.Random(seed)  # noqa: S311 - which ones are confirmed is no secret
    client = TimedClient(person.base)
    client.session.cookies.update(person.session.cookies)

    started = time.monotonic() + generator.random() * _SECONDS_EACH
    for number, pk in enumerate(items):
        due = started + number * _SECONDS_EACH
        time.sleep(max(due - time.monotonic(), 0))

        action = f"/annotations/{pk}/decide"
        _, page = client.timed_request(f"/annotations/{pk}")
        form = form_fields(page.text, action)
        form |= {"seconds": "4", "outcome": "decided"}
        if generator.random() >= _CONFIRMED:
            form |= _RELABEL
        client.timed_request(action, method="POST", status=302, data=form)


def lines(measured: Sequence[Lags], minutes: float) -> Iterator[str]:
    """Yield the table that docs/performance.md shows; times are seconds, p50 / p95 / longest."""
    pace = REVIEWERS * 60 // _SECONDS_EACH
    yield ""
    setting = f"{REVIEWERS} reviewers, {pace} decisions a minute for {minutes:g} minutes"
    yield f"{setting}, {_CONFIRMED:.0%} of them confirm."
    yield ""
    yield f"| {' | '.join(_COLUMNS)} |"
    yield f"| {' | '.join(['---:'] * len(_COLUMNS))} |"
    for lags in measured:
        cells = [
            lags.budget,
            len(lags.relabels),
            _percentiles(lags.relabels),
            len(lags.confirmations),
            _percentiles(lags.confirmations),
            lags.without_author,
            lags.waiting,
        ]
        yield f"| {' | '.join(map(str, cells))} |"


def _percentiles(lags: Sequence[float]) -> str:
    if not lags:
        return "none"
    return " / ".join(f"{percentile(lags, share):.1f}" for share in (0.5, 0.95, 1))


def _number(connection: psycopg.Connection, query: str, *values: object) -> int:
    found = connection.execute(query.encode(), values).fetchone()
    return int(found[0]) if found else 0


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
