"""`python -m tools.drill.clients.load_process FILE`: all reviewers at once, in a process of its own, one thread each.

A process of its own, because whoever starts and kills processes must have a single thread.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.drill.clients.external_editor import Stranger
from tools.drill.clients.http_client import Browser
from tools.drill.clients.reviewer import Reviewer
from tools.drill.journal import Journal
from tools.drill.plan import steps


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What the crowd has to know; `seconds` is its limit, `people` are names that share one password."""

    seed: int
    submits: int
    seconds: float
    web: list[str]
    sandbox: str
    people: list[str]
    password: str
    items: list[tuple[int, str]]
    journal: str

    def keep(self, file: Path) -> None:
        """Write them where the crowd reads them."""
        file.write_text(json.dumps(asdict(self)))


def main(arguments: Sequence[str]) -> int:
    """Let everybody work until they are done or time is up; what happened is in the journal."""
    orders = Orders(**json.loads(Path(arguments[0]).read_text()))
    until, journal = time.monotonic() + orders.seconds, Journal(Path(orders.journal))
    with ThreadPoolExecutor(len(orders.people)) as crowd:
        works = [crowd.submit(_work, orders, number, journal, until) for number in range(len(orders.people))]
    journal.close()
    for work in works:
        work.result()
    return 0


def _work(orders: Orders, number: int, journal: Journal, until: float) -> None:
    person = orders.people[number]
    browser = Browser(orders.web, username=person, password=orders.password, until=until)
    stranger = Stranger(orders.sandbox, journal, until=until)
    mine = steps(orders.seed, submits=orders.submits, clients=len(orders.people), client=number)
    Reviewer(browser, person, orders.items, stranger, journal).work(mine)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
