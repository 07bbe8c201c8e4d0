"""The rows of the table: what is timed, beside which yardstick, and how many times the yardstick it may take.

What the people of one site do while they are timed: a reviewer, a lead, and a script with a token.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import psycopg

from reviewapp.web import pagination
from tools.bench.http_client import Visitor, form_fields
from tools.bench.loading import COMMON, LABELS, MIDDLE, RARE_IN
from tools.bench.site import Site

# The orders of the queue page and of the history page, as they are without being asked for another.
_QUEUE, _HISTORY = ("sureness", "id"), ("-at", "-id")
_DEEP = """
SELECT sureness, id FROM annotations_annotation WHERE status = 'waiting' ORDER BY sureness, id
OFFSET (SELECT count(*) * 9 / 10 FROM annotations_annotation WHERE status = 'waiting') LIMIT 1
"""
_DEEP_HISTORY = (
    "SELECT at, id FROM audit_event ORDER BY at DESC, id DESC OFFSET (SELECT max(id) * 8 / 10 FROM audit_event) LIMIT 1"
)
_SIGN_INS = ("reviewer", "lead")


class Walk:
    """The visitors of one site; every method that asks returns the seconds its answer took."""

    def __init__(self, site: Site, *, seed: int = 1) -> None:
        self.site, self._dice = site, random.Random(seed)  # noqa: S311 - which items are looked at is no secret
        web, bare = site.addresses["web"], site.addresses["bare"]
        self.reviewer, self.lead = Visitor(web), Visitor(web)
        for visitor, name in zip((self.reviewer, self.lead), _SIGN_INS, strict=True):
            visitor.sign_in(name, f"{name}-demo")
        self.script = Visitor(web, token=site.token())
        self.bare = Visitor(bare)
        # The bare project shares the database and the key, so the same session is signed in there
        # as well.
        self.bare.session.cookies.update(self.reviewer.session.cookies)
        self._read_places()
        self._item, self._patched = 0, 0

    def _read_places(self) -> None:
        with psycopg.connect(self.site.url) as connection:
            sureness, pk = connection.execute(_DEEP).fetchone() or (0.0, 0)
            at, event = connection.execute(_DEEP_HISTORY).fetchone() or (None, 0)
        self.deep = pagination.written("after", SimpleNamespace(sureness=sureness, id=pk), _QUEUE)
        self.deep_history = pagination.written("after", SimpleNamespace(at=at, id=event), _HISTORY)

    # The yardsticks.

    def view(self) -> float:
        return self.bare.ask("/view")[0]

    def page(self) -> float:
        return self.bare.ask("/page")[0]

    def transaction(self) -> float:
        token = {"X-CSRFToken": self.bare.session.cookies["csrftoken"]}
        return self.bare.ask("/change", method="POST", headers=token)[0]

    # Pages.

    def queue(self, **query: str) -> float:
        """Return the time of the queue page under some filters."""
        return self.reviewer.ask("/annotations", params=query)[0]

    def rare(self) -> str:
        """Return a word that about twenty documents have."""
        return f"rare{self._dice.randrange(max(self.site.count // RARE_IN, 1))}"

    def label(self) -> str:
        """Return one of the labels."""
        return self._dice.choice(LABELS)

    def review(self) -> float:
        """Open any item."""
        return self.reviewer.ask(f"/annotations/{self._any()}")[0]

    def history(self, **query: str) -> float:
        """Return the time of the history page under some filters."""
        return self.lead.ask("/history", params=query)[0]

    # The reviewer's turn.

    def next_item(self) -> float:
        """Be given the next item (the answer leads to its page)."""
        after = f"?after={self._item}" if self._item else ""
        seconds, answer = self.reviewer.ask(f"/annotations/next{after}", status=302)
        self._item = int(answer.headers["Location"].split("?")[0].rsplit("/", 1)[1])
        return seconds

    def submit(self) -> float:
        """Open the item, untimed, and submit a decision (the answer leads to the next item's page)."""
        if not self._item:
            self.next_item()
        path = f"/annotations/{self._item}"
        form = form_fields(self.reviewer.ask(path)[1].text, f"{path}/decide")
        form |= {
            "label": self.label(),
            "confidence": "0.9",
            "reasoning": "Looked at the edges.",
            "seconds": "4",
        }
        seconds, answer = self.reviewer.ask(f"{path}/decide", method="POST", status=302, data=form)
        self._item = int(answer.headers["Location"].split("?")[0].rsplit("/", 1)[1])
        return seconds

    # The script.

    def api_list(self, **body: Any) -> float:
        """List thirty annotations."""
        return self.script.ask("/api/v1/annotations/list?limit=30", method="POST", json=body)[0]

    def api_patch(self) -> float:
        """Change an annotation, to one of the labels in use."""
        self._patched += 1
        body = {"label": self.label(), "confidence": self._patched % 1000 / 1000}
        return self.script.ask(f"/api/v1/annotations/ann_{self._any()}", method="PATCH", json=body)[0]

    def _any(self) -> int:
        return self._dice.randrange(self.site.count) + 1


Timed = Callable[[Walk], float]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that people or scripts do; `against` names the yardstick."""

    name: str
    against: str
    aim: float
    timed: Timed


YARDSTICKS: dict[str, Timed] = {
    "view": Walk.view,
    "page": Walk.page,
    "transaction": Walk.transaction,
}


def _page(name: str, timed: Timed) -> Row:
    return Row(name=name, against="page", aim=2.0, timed=timed)


def _write(name: str, timed: Timed) -> Row:
    return Row(name=name, against="transaction", aim=3.0, timed=timed)


ROWS = (
    _page("queue, first page", lambda at: at.queue()),
    _page("queue, page at nine tenths", lambda at: at.queue(cursor=at.deep)),
    _page("queue, one label", lambda at: at.queue(label=at.label())),
    _page("search, a word of 20 documents", lambda at: at.queue(q=at.rare())),
    _page("search, a word of 1 in 100", lambda at: at.queue(q=MIDDLE)),
    _page("search, a word of 1 in 3", lambda at: at.queue(q=COMMON)),
    _page("review page", lambda at: at.review()),
    _page("history, first page", lambda at: at.history()),
    _page("history, page at eight tenths", lambda at: at.history(cursor=at.deep_history)),
    _page("API list of 30", lambda at: at.api_list()),
    _page("API list of 30, one label", lambda at: at.api_list(label=at.label())),
    _write("next item", lambda at: at.next_item()),
    _write("submit", lambda at: at.submit()),
    _write("API patch", lambda at: at.api_patch()),
)
