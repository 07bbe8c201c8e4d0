"""Which of a person's decisions somebody else corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reviewapp.annotations.decisions.rows import DecisionRow, build_rows
from reviewapp.annotations.fields import SHARED_FIELDS
from reviewapp.annotations.models import Decision
from reviewapp.postgres.statement import Statement, sql_file
from reviewapp.web import pagination

_NEWEST_FIRST = ("-id",)
_MAX_KEY = 2**63 - 1


@dataclass(frozen=True)
class CorrectedKey:
    """The keys of a decision and of the one that corrected it."""

    id: int
    correction: int


@dataclass(frozen=True, kw_only=True)
class CorrectedRow:
    """A decision and the one by which somebody else corrected it."""

    corrected: DecisionRow
    correction: DecisionRow


_CORRECTIONS = sql_file(__file__, "corrections.sql", CorrectedKey)


def _statement(*, is_after: str, direction: str) -> Statement[CorrectedKey]:
    """Return the statement; a confidence and a reasoning of one's own correct nobody's."""
    values = {}
    for table in ("decision", "later", "correction"):
        columns = [f"{table}.{name}" for name in SHARED_FIELDS]
        values[f"{table}_values"] = ", ".join(columns)
    return _CORRECTIONS.with_pieces(is_after=is_after, direction=direction, **values)


_OLDER = _statement(is_after="<", direction="DESC")
_NEWER = _statement(is_after=">", direction="ASC")


def corrected_page(person_id: int, cursor: str = "") -> pagination.Page[CorrectedKey]:
    """Return a page of the person's corrected decisions, newest first; raises `BadCursor`."""

    def fetch(ordering: tuple[str, ...], values: list[Any], limit: int) -> list[CorrectedKey]:
        (key,) = values or (_MAX_KEY,)
        if not isinstance(key, int):
            raise pagination.BadCursor(cursor)
        statement = _OLDER if ordering == _NEWEST_FIRST else _NEWER
        return statement.rows(person=person_id, id=key, limit=limit)

    return pagination.paginate(fetch, order=_NEWEST_FIRST, cursor=cursor, size=50)


def build_corrected_rows(keys: list[CorrectedKey]) -> list[CorrectedRow]:
    """Return the lines of these corrections, in their order. Three queries at most."""
    all_keys = {key.id for key in keys} | {key.correction for key in keys}
    decisions = Decision.objects.filter(pk__in=all_keys).listed()
    rows = {row.decision.pk: row for row in build_rows(list(decisions))}
    return [CorrectedRow(corrected=rows[key.id], correction=rows[key.correction]) for key in keys]
