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
    """The faults of one drill; `log` gets a line for each, and for each process that ended by
    itself.
    """

    def __init__(self, site: Site, planned: list[PlannedFault], log: Path, *, seed: int) -> None:
        self._site = site
        self._planned = list(planned)
        self._log = log
        self._random = random.Random(f"{seed}/sessions")  # noqa: S311 - which session is killed is no secret
        self._down: dict[str, float] = {}
        self._started = time.monotonic()
        self.fault_counts: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.crowd_ended = ""
        self.abuser_ended = ""

    def inject_due(self, share: float) -> None:
        """Inject what is due when `share` of the steps are done; restart what was down long enough."""
        self._notice_ended()
        while self._planned and self._planned[0].at <= share:
            self._inject(self._planned.pop(0))
        self.bring_back()

    def bring_back(self, *, now: bool = False) -> None:
        """Start what was down for long enough, or at once, and what ended by itself."""
        self._notice_ended()
        for name, until in list(self._down.items()):
            if now or time.monotonic() >= until:
                self._start(name)

    def _notice_ended(self) -> None:
        for name, how in self._site.children.ended().items():
            if name == "crowd":
                self.crowd_ended = how
                continue
            if name == "abuser":
                self.abuser_ended = how
                continue
            self._note("ended by itself", name=name, how=how)
            self.ended[name] += 1
            self._down[name] = time.monotonic() + 0.5

    def stop(self) -> None:
        """Remove the faults that the sandbox still has to come, and restart everything."""
        self.bring_back(now=True)
        with suppress(requests.RequestException), _sandbox_session() as session:
            session.delete(f"{self._site.sandbox}/_sandbox/faults", timeout=_PATIENCE)

    def _start(self, name: str) -> None:
        try:
            self._site.start(name)
            del self._down[name]
        except EmbeddedPostgresError as error:
            self._note("not started yet", name=name, why=str(error))
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
                self._site.database.kill()
                self._down["database"] = time.monotonic() + fault.away
                self._count(fault)
            case "kill database session":
                if "database" not in self._down and self._site.database.kill_session(self._random):
                    self._count(fault)
            case _:
                self._script(fault)

    def _kill(self, fault: PlannedFault, *names: str) -> None:
        running = [name for name in names if name not in self._down]
        for name in running:
            self._site.children.kill(name)
        if running:
            self._count(fault, names=running)
        self._down |= dict.fromkeys(names, time.monotonic() + fault.away)

    def _kill_serving(self, fault: PlannedFault) -> None:
        if fault.target in self._down:
            return
        for pid in self._site.serving(fault.target):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._count(fault)

    def _script(self, fault: PlannedFault) -> None:
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
        self._note(
            fault.kind,
            at=round(fault.at, 4),
            target=fault.target,
            away=fault.away,
            **details,
        )

    def _note(self, what: str, **details: Any) -> None:
        entry = {"seconds": round(time.monotonic() - self._started, 2), "what": what, **details}
        with self._log.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(entry)}\n")


def _sandbox_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session
