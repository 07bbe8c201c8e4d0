"""Inject the planned faults when they are due, log each, and restart what is down."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests

from reviewapp.postgres.exceptions import EmbeddedPostgresError
from tools.drill.plan import PlannedFault
from tools.drill.site import WORKERS, Site

_PATIENCE = 5


class FaultInjector:
    """Injects the faults of one drill.

    `log` gets a line for each fault, and for each process that ended by itself.
    """

    def __init__(self, site: Site, planned: list[PlannedFault], log: Path, *, seed: int) -> None:
        self._site = site
        self._planned = list(planned)
        self._log = log
        # Chooses the session to kill.
        self._random = random.Random(f"{seed}/sessions")  # noqa: S311 - not a secret
        # By the name of a process that is down, when to start it again.
        self._down: dict[str, float] = {}
        self._started = time.monotonic()
        self.fault_counts: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.crowd_ended = ""
        self.abuser_ended = ""

    def inject_due(self, share: float) -> None:
        """Inject what is due once `share` of the steps are done; restart what was down for long."""
        self._record_ended()
        while self._planned and self._planned[0].at <= share:
            self._inject(self._planned.pop(0))
        self.bring_back()

    def bring_back(self, *, now: bool = False) -> None:
        """Start the processes that were down for long enough; with `now`, all that are down."""
        self._record_ended()
        for name, until in list(self._down.items()):
            if now or time.monotonic() >= until:
                self._start(name)

    def _record_ended(self) -> None:
        for name, end in self._site.children.ended().items():
            if name == "crowd":
                self.crowd_ended = end
                continue
            if name == "abuser":
                self.abuser_ended = end
                continue
            self._write_log("ended by itself", name=name, how=end)
            self.ended[name] += 1
            self._down[name] = time.monotonic() + 0.5

    def stop(self) -> None:
        """Remove the faults that the sandbox has left, and restart everything."""
        self.bring_back(now=True)
        with suppress(requests.RequestException), _sandbox_session() as session:
            session.delete(f"{self._site.sandbox}/_sandbox/faults", timeout=_PATIENCE)

    def _start(self, name: str) -> None:
        try:
            self._site.start(name)
            del self._down[name]
        except EmbeddedPostgresError as error:
            self._write_log("not started yet", name=name, why=str(error))
            self._down[name] = time.monotonic() + 1

    def _inject(self, fault: PlannedFault) -> None:
        match fault.kind:
            case "kill web" | "kill worker":
                self._kill(fault, fault.target)
            case "kill all workers":
                self._kill(fault, *WORKERS)
            case "kill sandbox":
                self._kill(fault, "sandbox")
            case "kill web process":
                self._kill_serving(fault)
            case "kill database":
                self._kill_database(fault)
            case "kill database session":
                self._kill_database_session(fault)
            case _:
                self._script(fault)

    def _kill_database(self, fault: PlannedFault) -> None:
        self._site.database.kill()
        self._down["database"] = time.monotonic() + fault.away
        self._count(fault)

    def _kill_database_session(self, fault: PlannedFault) -> None:
        if "database" in self._down:
            return
        if self._site.database.kill_session(self._random):
            self._count(fault)

    def _kill(self, fault: PlannedFault, *names: str) -> None:
        running = [name for name in names if name not in self._down]
        for name in running:
            self._site.children.kill(name)
        if running:
            self._count(fault, names=running)
        self._down |= dict.fromkeys(names, time.monotonic() + fault.away)

    def _kill_serving(self, fault: PlannedFault) -> None:
        """Kill the processes of a web server that serve requests, but not the one above them."""
        if fault.target in self._down:
            return
        for pid in self._site.serving(fault.target):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._count(fault)

    def _script(self, fault: PlannedFault) -> None:
        """Tell the sandbox how to fail."""
        with suppress(requests.RequestException), _sandbox_session() as session:
            response = session.post(
                f"{self._site.sandbox}/_sandbox/faults",
                json=list(fault.script),
                timeout=_PATIENCE,
            )
            response.raise_for_status()
            self._count(fault, script=list(fault.script))

    def _count(self, fault: PlannedFault, **details: Any) -> None:
        self.fault_counts[fault.kind] += 1
        self._write_log(
            fault.kind,
            at=round(fault.at, 4),
            target=fault.target,
            away=fault.away,
            **details,
        )

    def _write_log(self, what: str, **details: Any) -> None:
        seconds = round(time.monotonic() - self._started, 2)
        entry = {"seconds": seconds, "what": what, **details}
        with self._log.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(entry)}\n")


def _sandbox_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session
