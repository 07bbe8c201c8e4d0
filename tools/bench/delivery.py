"""Changes that a worker delivers per second, beside the PATCHes of a bare `requests.Session`.

Twice: in bulk, as any backlog goes, and one by one, as what was tried before goes (`attempts` keeps
it out of bulk).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, product
from time import monotonic, perf_counter

import psycopg
import requests

from tools.bench.site import Site
from tools.launch.config import SANDBOX_KEY, SANDBOX_NAMESPACE, manage

_PATIENCE = 300
# How often a change was tried before, by the way it goes then.
WAYS = {"in bulk": 0, "one by one": 1}
_numbers = count(1)

# What `services.decide` would leave behind, for many at once: the label as it was decided, and the
# promise of it.
_QUEUE = """
WITH chosen AS (
    SELECT a.id, a.ref, a.upstream, r.retriever_id FROM annotations_annotation a
    JOIN retrievers_retriever r ON r.id = a.retriever_id
    WHERE a.annotation_id = ANY(%(ids)s)
), shown AS (
    UPDATE annotations_annotation a SET label = %(label)s FROM chosen c WHERE c.id = a.id
)
INSERT INTO outbox_change (ref, verb, fields, base, base_version, cause, actor_name, retriever_id,
    state,
    reason, field_errors, upstream_request_id, attempts, due, created_at)
SELECT ref, 'set', jsonb_build_object('label', %(label)s::text), upstream - 'metadata', 1,
    gen_random_uuid(), 'bench', retriever_id, 'queued', '', '{}', '', %(attempts)s, now(), now()
FROM chosen RETURNING id
"""
_UNDECIDED = """
SELECT a.annotation_id FROM annotations_annotation a
WHERE a.status = 'waiting' AND a.version = 1
    AND NOT EXISTS (SELECT 1 FROM outbox_change c WHERE c.ref = a.ref)
ORDER BY a.id LIMIT %s
"""
# A wake-up that waits keeps the next one from being made. The sandbox knows a few thousand
# annotations only, so a pull would find the others gone, and the feed tells of what is PATCHed by
# hand.
_POSTPONE_JOBS = """
INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, scheduled_at)
SELECT 'default', name, name, now() + interval '1 day'
FROM unnest(ARRAY['sync.pull', 'sync.feed']) name
ON CONFLICT DO NOTHING
"""
_SETTLED = """
SELECT count(*) FILTER (WHERE state = 'delivered'), count(*) FILTER (WHERE state <> 'queued'),
    extract(epoch FROM max(settled_at) - min(claimed_at))::float
FROM outbox_change WHERE id = ANY(%s)
"""


class NotDelivered(Exception):
    """Changes that should have been delivered were not; the message says how many."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A measurement: changes per second, and changes for each request to the sandbox."""

    way: str
    workers: int
    per_second: float
    per_request: float


@dataclass(frozen=True, kw_only=True)
class Rates:
    """PATCHes per second of one bare client before, between and after, and what workers did."""

    bare: tuple[float, ...]
    runs: tuple[Run, ...]


def measure(site: Site, wait: Callable[[float], object], *, many: int) -> Rates:
    """Deliver `many` changes each way, by one and by two workers, with PATCHes in between."""
    with psycopg.connect(site.url, autocommit=True) as connection:
        postpone_all_jobs(connection)
        rows = connection.execute(_UNDECIDED, [5 * many]).fetchall()
        annotation_ids = [annotation_id for (annotation_id,) in rows]

        fifth = len(annotation_ids) // 5
        by_hand = annotation_ids[:fifth]
        bare = [_patch(site, by_hand)]
        runs: list[Run] = []
        for number, (way, workers) in enumerate(product(WAYS, (1, 2)), 1):
            batch = annotation_ids[number * fifth : (number + 1) * fifth]
            run = _deliver(site, connection, batch, way=way, workers=workers, wait=wait)
            runs.append(run)
            bare.append(_patch(site, by_hand))
    return Rates(bare=tuple(bare), runs=tuple(runs))


def postpone_all_jobs(connection: psycopg.Connection) -> None:
    """Let nothing that waits by now be delivered, pulled or read while deliveries are timed."""
    # What was submitted before may be of annotations that this sandbox does not know.
    connection.execute(
        "UPDATE outbox_change SET due = now() + interval '1 day' WHERE state = 'queued'",
    )
    connection.execute("DELETE FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")
    connection.execute(_POSTPONE_JOBS)


def _patch(site: Site, ids: list[str]) -> float:
    headers = {"Authorization": f"Bearer {SANDBOX_KEY}", "X-Namespace": SANDBOX_NAMESPACE}
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(headers)

        label = f"by hand {next(_numbers)}"
        started = perf_counter()
        for annotation_id in ids:
            url = f"{site.sandbox}/v1/annotations/{annotation_id}"
            session.patch(url, json={"label": label}).raise_for_status()
        return len(ids) / (perf_counter() - started)


def _deliver(
    site: Site,
    connection: psycopg.Connection,
    ids: list[str],
    *,
    way: str,
    workers: int,
    wait: Callable[[float], object],
) -> Run:
    names = [f"worker{number + 1}" for number in range(workers)]
    connection.execute("DELETE FROM procrastinate_workers")
    for name in names:
        site.children.start(name, manage("work"))
    worker_count = "SELECT count(*) FROM procrastinate_workers"
    _wait_until(lambda: _number(connection, worker_count) == workers, wait)

    try:
        # Before there is a change: a worker may deliver a few changes without the wake-up below.
        _sandbox(site, "DELETE")
        changes = _enqueue(connection, ids, attempts=WAYS[way])
        connection.execute("ANALYZE outbox_change")
        wake = "from reviewapp.outbox import services; services.wake()"
        site.run("wake", manage("shell", "-v0", "-c", wake))
        _wait_until(lambda: _settled(connection, changes)[1] == len(changes), wait)
    finally:
        site.children.stop(*names)

    delivered, _, seconds = _settled(connection, changes)
    if delivered != len(ids):
        raise NotDelivered(f"{delivered} of {len(ids)} changes were delivered")
    request_count = len(_sandbox(site, "GET").json()["requests"])
    return Run(
        way=way,
        workers=workers,
        per_second=delivered / seconds,
        per_request=delivered / request_count,
    )


def _enqueue(connection: psycopg.Connection, ids: list[str], *, attempts: int) -> list[int]:
    acting = json.dumps({"origin": "web", "request_id": "bench"})
    label = f"decided {next(_numbers)}"
    values = {"ids": ids, "label": label, "attempts": attempts}
    with connection.transaction():
        connection.execute("SELECT set_config('reviewapp.acting', %s, true)", [acting])
        return [pk for (pk,) in connection.execute(_QUEUE, values).fetchall()]


def _sandbox(site: Site, method: str) -> requests.Response:
    """Forget the requests that the sandbox received, or list them (the last 2,000)."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, f"{site.sandbox}/_sandbox/requests")


def _settled(connection: psycopg.Connection, changes: list[int]) -> tuple[int, int, float]:
    return connection.execute(_SETTLED, [changes]).fetchone() or (0, 0, 0.0)


def _number(connection: psycopg.Connection, query: str) -> int:
    [(number,)] = connection.execute(query.encode()).fetchall()
    return int(number)


def _wait_until(is_done: Callable[[], bool], wait: Callable[[float], object]) -> None:
    deadline = monotonic() + _PATIENCE
    while not is_done():
        if monotonic() > deadline:
            raise NotDelivered(f"nothing more happened within {_PATIENCE} seconds")
        wait(0.05)


def lines(rates: Rates) -> Iterator[tuple[Run, float]]:
    """Yield each run and its share of the bare rate per worker; the bare rate is the mean."""
    bare = sum(rates.bare) / len(rates.bare)
    for run in rates.runs:
        yield run, run.per_second / run.workers / bare
