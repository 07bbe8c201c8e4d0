"""The rows of the report: what is timed, against which baseline, and how many times it may take.

The clients of one site stand for a reviewer, a lead, and a script with a token.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import psycopg

from reviewapp.web import pagination
from tools.bench.http_client import TimedClient, form_fields
from tools.bench.loading import COMMON, LABELS, MIDDLE, RARE_IN
from tools.bench.site import Site

# The default orders of the queue page and of the history page.
_QUEUE_ORDER = ("sureness", "id")
_HISTORY_ORDER = ("-at", "-id")
_DEEP_IN_QUEUE = """
SELECT sureness, id FROM annotations_annotation WHERE status = 'waiting' ORDER BY sureness, id
OFFSET (SELECT count(*) * 9 / 10 FROM annotations_annotation WHERE status = 'waiting') LIMIT 1
"""
_DEEP_IN_HISTORY = """
SELECT at, id FROM audit_event ORDER BY at DESC, id DESC
OFFSET (SELECT max(id) * 8 / 10 FROM audit_event) LIMIT 1
"""


class SiteClients:
    """The clients of one site; every method that requests something returns its seconds."""

    def __init__(self, site: Site, *, seed: int = 1) -> None:
        self.site = site
        self._random = random.Random(seed)  # noqa: S311 - which items are opened is no secret
        web = site.addresses["web"]

        self.reviewer = TimedClient(web)
        self.reviewer.sign_in("reviewer", "reviewer-demo")
        self.lead = TimedClient(web)
        self.lead.sign_in("lead", "lead-demo")
        self.script = TimedClient(web, token=site.token())

        self.bare = TimedClient(site.addresses["bare"])
        # The bare project shares the database and the key, so the same session is signed in there.
        self.bare.session.cookies.update(self.reviewer.session.cookies)

        self._read_deep_cursors()
        self._item = 0
        self._patch_count = 0

    def _read_deep_cursors(self) -> None:
        with psycopg.connect(self.site.url) as connection:
            sureness, pk = connection.execute(_DEEP_IN_QUEUE).fetchone() or (0.0, 0)
            at, event = connection.execute(_DEEP_IN_HISTORY).fetchone() or (None, 0)

        annotation_row = SimpleNamespace(sureness=sureness, id=pk)
        self.deep = pagination.encode_cursor("after", annotation_row, _QUEUE_ORDER)
        event_row = SimpleNamespace(at=at, id=event)
        self.deep_history = pagination.encode_cursor("after", event_row, _HISTORY_ORDER)

    # The baselines.

    def view(self) -> float:
        """Request one row of the bare project."""
        return self.bare.timed_request("/view")[0]

    def page(self) -> float:
        """Request thirty rows of the bare project."""
        return self.bare.timed_request("/page")[0]

    def transaction(self) -> float:
        """Insert one row in the bare project."""
        token = {"X-CSRFToken": self.bare.session.cookies["csrftoken"]}
        return self.bare.timed_request("/change", method="POST", headers=token)[0]

    # Pages.

    def queue(self, **query: str) -> float:
        """Request the queue page under some filters."""
        return self.reviewer.timed_request("/annotations", params=query)[0]

    def rare_word(self) -> str:
        """Return a word that about twenty documents have."""
        groups = max(self.site.count // RARE_IN, 1)
        return f"rare{self._random.randrange(groups)}"

    def random_label(self) -> str:
        """Return one of the labels."""
        return self._random.choice(LABELS)

    def review(self) -> float:
        """Open a random item."""
        return self.reviewer.timed_request(f"/annotations/{self._random_key()}")[0]

    def history(self, **query: str) -> float:
        """Request the history page under some filters."""
        return self.lead.timed_request("/history", params=query)[0]

    # Decisions of the reviewer.

    def next_item(self) -> float:
        """Request the next item; the response redirects to its page."""
        path = "/annotations/next"
        if self._item:
            path += f"?after={self._item}"
        seconds, response = self.reviewer.timed_request(path, status=302)
        self._item = _item_in(response.headers["Location"])
        return seconds

    def submit(self) -> float:
        """Open the item, untimed, and submit a decision; the response leads to the next item."""
        if not self._item:
            self.next_item()
        path = f"/annotations/{self._item}"
        action = f"{path}/decide"
        _, page = self.reviewer.timed_request(path)

        form = form_fields(page.text, action)
        form["label"] = self.random_label()
        form["confidence"] = "0.9"
        form["reasoning"] = "Looked at the edges."
        form["seconds"] = "4"

        seconds, response = self.reviewer.timed_request(
            action,
            method="POST",
            status=302,
            data=form,
        )
        self._item = _item_in(response.headers["Location"])
        return seconds

    # The script.

    def api_list(self, **body: Any) -> float:
        """List thirty annotations."""
        path = "/api/v1/annotations/list?limit=30"
        return self.script.timed_request(path, method="POST", json=body)[0]

    def api_patch(self) -> float:
        """Change an annotation, to one of the labels in use."""
        self._patch_count += 1
        body = {"label": self.random_label(), "confidence": self._patch_count % 1000 / 1000}
        path = f"/api/v1/annotations/ann_{self._random_key()}"
        return self.script.timed_request(path, method="PATCH", json=body)[0]

    def _random_key(self) -> int:
        return self._random.randrange(self.site.count) + 1


def _item_in(location: str) -> int:
    path = location.split("?", maxsplit=1)[0]
    return int(path.rsplit("/", 1)[1])


Measurement = Callable[[SiteClients], float]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One thing that people or scripts do; `aim` is the ratio to the baseline named `against`."""

    name: str
    against: str
    aim: float
    run: Measurement


BASELINES: dict[str, Measurement] = {
    "view": SiteClients.view,
    "page": SiteClients.page,
    "transaction": SiteClients.transaction,
}


def _page(name: str, run: Measurement) -> Scenario:
    return Scenario(name=name, against="page", aim=2.0, run=run)


def _write(name: str, run: Measurement) -> Scenario:
    return Scenario(name=name, against="transaction", aim=3.0, run=run)


SCENARIOS = (
    _page("queue, first page", lambda site: site.queue()),
    _page("queue, page at nine tenths", lambda site: site.queue(cursor=site.deep)),
    _page("queue, one label", lambda site: site.queue(label=site.random_label())),
    _page("search, a word of 20 documents", lambda site: site.queue(q=site.rare_word())),
    _page("search, a word of 1 in 100", lambda site: site.queue(q=MIDDLE)),
    _page("search, a word of 1 in 3", lambda site: site.queue(q=COMMON)),
    _page("review page", lambda site: site.review()),
    _page("history, first page", lambda site: site.history()),
    _page("history, page at eight tenths", lambda site: site.history(cursor=site.deep_history)),
    _page("API list of 30", lambda site: site.api_list()),
    _page("API list of 30, one label", lambda site: site.api_list(label=site.random_label())),
    _write("next item", lambda site: site.next_item()),
    _write("submit", lambda site: site.submit()),
    _write("API patch", lambda site: site.api_patch()),
)
