"""The rows of the table: what is timed, beside which yardstick, and how many times the yardstick it may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reviewapp.bench.loading import COMMON, MIDDLE
from reviewapp.bench.walk import Walk

Timed = Callable[[Walk], float]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that people or scripts do; `against` names the yardstick."""

    name: str
    against: str
    aim: float
    timed: Timed


YARDSTICKS: dict[str, Timed] = {"view": Walk.view, "page": Walk.page, "transaction": Walk.transaction}


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
