"""`python -m tools.drill.clients.load_process FILE`: all reviewers at once, one thread each.

They have a process of their own, because the one that starts and kills processes must have a single
thread.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.drill.clients.external_editor import ExternalEditor
from tools.drill.clients.http_client import BrowserClient
from tools.drill.clients.reviewer import Reviewer
from tools.drill.journal import Journal
from tools.drill.plan import steps


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """The options of a load process; `seconds` is its limit, `people` share one password."""

    seed: int
    submits: int
    seconds: float
    web: list[str]
    sandbox: str
    people: list[str]
    password: str
    items: list[tuple[int, str]]
    journal: str

    def write(self, file: Path) -> None:
        """Write the options to the file that `main` reads."""
        file.write_text(json.dumps(asdict(self)))


def main(arguments: Sequence[str]) -> int:
    """Run all reviewers until they are done or time is up; they write to the journal."""
    options = LoadOptions(**json.loads(Path(arguments[0]).read_text()))
    deadline = time.monotonic() + options.seconds
    journal = Journal(Path(options.journal))

    with ThreadPoolExecutor(len(options.people)) as pool:
        futures = []
        for number in range(len(options.people)):
            futures.append(pool.submit(_run_reviewer, options, number, journal, deadline))

    journal.close()
    for future in futures:
        future.result()
    return 0


def _run_reviewer(options: LoadOptions, number: int, journal: Journal, deadline: float) -> None:
    person = options.people[number]
    browser = BrowserClient(
        options.web,
        username=person,
        password=options.password,
        until=deadline,
    )
    editor = ExternalEditor(options.sandbox, journal, until=deadline)
    own_steps = steps(
        options.seed,
        submits=options.submits,
        clients=len(options.people),
        client=number,
    )
    Reviewer(browser, person, options.items, editor, journal).work(own_steps)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
