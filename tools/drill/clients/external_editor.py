"""Another client of Mixpeek, with a key of its own, that edits annotations upstream."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import requests

from tools.drill.journal import ForeignEdit, Journal
from tools.launch.config import SANDBOX_NAMESPACE

KEY = "sk_a_stranger_on_this_machine"
_PATIENCE = 10


class ExternalEditor:
    """Repeats each edit until the sandbox acknowledges it; a repeated edit makes no new version."""

    def __init__(self, base: str, journal: Journal, *, until: float) -> None:
        self._base = base
        self._journal = journal
        self._until = until
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(
            {"Authorization": f"Bearer {KEY}", "X-Namespace": SANDBOX_NAMESPACE},
        )

    def edit(self, step: str, annotation_id: str, values: dict[str, Any]) -> None:
        """Set values on an annotation; when time is up, give up without a journal entry."""
        while time.monotonic() < self._until:
            if self._try(annotation_id, values):
                entry = ForeignEdit(step=step, annotation_id=annotation_id, values=values)
                self._journal.write(entry)
                return
            time.sleep(0.3)

    def race(self, step: str, annotation_id: str, values: dict[str, Any], *, hold: float) -> None:
        """Try to edit between a worker's next read of an annotation and its write.

        A worker looks for work every second, so it reads within a second after the hold. The
        sandbox delays its response for longer than that.
        """
        delay = {
            "method": "GET",
            "path": f"^/v1/annotations/{annotation_id}$",
            "delay": 1.6,
            "apply": True,
        }
        with suppress(requests.RequestException):
            self._session.post(f"{self._base}/_sandbox/faults", json=delay, timeout=_PATIENCE)
        time.sleep(hold + 1.2)
        self.edit(step, annotation_id, values)

    def _try(self, annotation_id: str, values: dict[str, Any]) -> bool:
        url = f"{self._base}/v1/annotations/{annotation_id}"
        try:
            response = self._session.patch(url, json=values, timeout=_PATIENCE)
            if response.status_code != 200:
                return False
            return bool(response.json().get("annotation_id") == annotation_id)
        except (requests.RequestException, ValueError):
            return False
