"""Deal the planned faults, each when its time has come, and write each down; bring back whatever is down."""

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
from tools.drill.plan import Blow
from tools.drill.site import WORKERS, Site

_PATIENCE = 5


class Blows:
    """The faults of one drill; `log` gets a line for each, and for each process that ended by itself."""

    def __init__(self, site: Site, planned: list[Blow], log: Path, *, seed: int) -> None:
        self._site, self._planned, self._log = site, list(planned), log
        self._dice = random.Random(f"{seed}/sessions")  # noqa: S311 - which session is killed is no secret
        self._down: dict[str, float] = {}
        self._started = time.monotonic()
        self.dealt: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.crowd_ended = ""
        self.abuser_ended = ""

    def go_on(self, share: float) -> None:
        """Deal what is due when `share` of the steps are done, and start again what was away for long enough."""
        self._notice_ended()
        while self._planned and self._planned[0].at <= share:
            self._deal(self._planned.pop(0))
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

    def calm(self) -> None:
        """Forget what was scripted and not yet met, and bring everything back."""
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

    def _deal(self, blow: Blow) -> None:
        match blow.kind:
            case "kill web" | "kill worker":
                self._kill(blow, blow.target)
            case "kill all workers":
                self._kill(blow, *WORKERS)
            case "kill sandbox":
                self._kill(blow, "sandbox")
            case "kill web process":
                self._kill_serving(blow)
            case "kill database":
                self._site.database.kill()
                self._down["database"] = time.monotonic() + blow.away
                self._count(blow)
            case "kill database session":
                if "database" not in self._down and self._site.database.kill_session(self._dice):
                    self._count(blow)
            case _:
                self._script(blow)

    def _kill(self, blow: Blow, *names: str) -> None:
        running = [name for name in names if name not in self._down]
        for name in running:
            self._site.children.kill(name)
        if running:
            self._count(blow, names=running)
        self._down |= dict.fromkeys(names, time.monotonic() + blow.away)

    def _kill_serving(self, blow: Blow) -> None:
        if blow.target in self._down:
            return
        for pid in self._site.serving(blow.target):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._count(blow)

    def _script(self, blow: Blow) -> None:
        with suppress(requests.RequestException), _sandbox_session() as session:
            answer = session.post(
                f"{self._site.sandbox}/_sandbox/faults",
                json=list(blow.script),
                timeout=_PATIENCE,
            )
            answer.raise_for_status()
            self._count(blow, script=list(blow.script))

    def _count(self, blow: Blow, **more: Any) -> None:
        self.dealt[blow.kind] += 1
        self._note(blow.kind, at=round(blow.at, 4), target=blow.target, away=blow.away, **more)

    def _note(self, what: str, **more: Any) -> None:
        entry = {"seconds": round(time.monotonic() - self._started, 2), "what": what, **more}
        with self._log.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(entry)}\n")


def _sandbox_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session
