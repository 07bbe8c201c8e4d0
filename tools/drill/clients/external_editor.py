"""Somebody else with a key of their own, who edits upstream and knows nothing of us."""

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
    """Edits at the sandbox, again and again until it is acknowledged; the same edit twice makes one
    version.
    """

    def __init__(self, base: str, journal: Journal, *, until: float) -> None:
        self._base, self._journal, self._until = base, journal, until
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(
            {"Authorization": f"Bearer {KEY}", "X-Namespace": SANDBOX_NAMESPACE},
        )

    def edit(self, step: str, annotation_id: str, values: dict[str, Any]) -> None:
        """Set values on an annotation; gives up, with nothing in the journal, when time is up."""
        while time.monotonic() < self._until:
            if self._try(annotation_id, values):
                self._journal.write(
                    ForeignEdit(step=step, annotation_id=annotation_id, values=values),
                )
                return
            time.sleep(0.3)

    def race(self, step: str, annotation_id: str, values: dict[str, Any], *, hold: float) -> None:
        """Edit between the next read of an annotation and the write that follows it, as good as
        that can be timed.

        A worker looks every second, so it reads within a second after the hold; what it reads is
        kept back for longer.
        """
        slow = {
            "method": "GET",
            "path": f"^/v1/annotations/{annotation_id}$",
            "delay": 1.6,
            "apply": True,
        }
        with suppress(requests.RequestException):
            self._session.post(f"{self._base}/_sandbox/faults", json=slow, timeout=_PATIENCE)
        time.sleep(hold + 1.2)
        self.edit(step, annotation_id, values)

    def _try(self, annotation_id: str, values: dict[str, Any]) -> bool:
        try:
            url = f"{self._base}/v1/annotations/{annotation_id}"
            answer = self._session.patch(url, json=values, timeout=_PATIENCE)
            return answer.status_code == 200 and answer.json().get("annotation_id") == annotation_id
        except (requests.RequestException, ValueError):
            return False
