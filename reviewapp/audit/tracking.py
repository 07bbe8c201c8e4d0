"""The trigger that writes history: declared on a model, run by the database on every path that changes a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pgtrigger

from reviewapp.audit.actions import Action

_WRITE = """
DECLARE
    diff jsonb := '{{}}';
    acting jsonb := nullif(current_setting('reviewapp.acting', true), '')::jsonb;
BEGIN
    {diff}
    IF diff = '{{}}' AND TG_OP = 'UPDATE' THEN
        RETURN NULL;
    END IF;
    INSERT INTO audit_event
        (at, actor_id, actor_name, action, ref, retriever_id, origin, request_id, changes, note)
    VALUES (
        clock_timestamp(),
        (acting->>'actor_id')::bigint,
        coalesce(acting->>'actor_name', session_user),
        {action},
        {ref},
        coalesce({retriever}, ''),
        coalesce(acting->>'origin', 'sql'),
        coalesce(acting->>'request_id', ''),
        diff,
        coalesce(acting->>'note', 'as database user ' || session_user
            || coalesce(' through ' || nullif(current_setting('application_name'), ''), ''))
    );
    RETURN NULL;
END;
"""


class NeverTruncated(pgtrigger.Trigger):
    """Refuse TRUNCATE, which no row trigger sees."""

    when = pgtrigger.Before
    operation = pgtrigger.Truncate
    level = pgtrigger.Statement

    def __init__(self) -> None:
        super().__init__(name="never_truncated")

    def get_func(self, model: Any) -> str:
        """Return the body: an error that names the table."""
        return "BEGIN RAISE EXCEPTION '% is history and cannot be truncated', TG_TABLE_NAME; END;"


class Tracked(pgtrigger.Trigger):
    """Write an event for each insert, delete, and update that changes one of `columns`.

    `actions` are (condition, action) pairs in SQL over `NEW` (and `OLD` on update), the first that holds wins;
    `created` and `deleted` name the two ends. `ref` and `retriever` are SQL over `{row}`, which becomes NEW, or
    OLD when the row is deleted. The diff is `{column: [old, new]}`; a new row's old values are null.
    """

    when = pgtrigger.After
    operation = pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete

    def __init__(
        self,
        *,
        columns: Sequence[str],
        created: Sequence[tuple[str, Action]] | Action,
        changed: Sequence[tuple[str, Action]],
        deleted: Action,
        ref: str = "{row}.ref",
        retriever: str = "NULL",
        name: str = "tracked",
    ) -> None:
        self.columns, self.ref, self.retriever = columns, ref, retriever
        self.created = [("true", created)] if isinstance(created, Action) else created
        self.changed, self.deleted = changed, deleted
        super().__init__(name=name)

    def get_func(self, model: Any) -> str:
        """Return the PL/pgSQL body; one branch a column, so that an unrelated update costs comparisons only."""
        return _WRITE.format(
            diff=self._diff(),
            action=self._action(),
            ref=self._by_row(self.ref),
            retriever=self._by_row(self.retriever),
        )

    def _diff(self) -> str:
        def pair(column: str, old: str, new: str) -> str:
            return f"diff := diff || jsonb_build_object('{column}', jsonb_build_array({old}, {new}));"

        inserted = " ".join(f"IF NEW.{c} IS NOT NULL THEN {pair(c, 'NULL', f'NEW.{c}')} END IF;" for c in self.columns)
        removed = " ".join(f"IF OLD.{c} IS NOT NULL THEN {pair(c, f'OLD.{c}', 'NULL')} END IF;" for c in self.columns)
        updated = " ".join(
            f"IF OLD.{c} IS DISTINCT FROM NEW.{c} THEN {pair(c, f'OLD.{c}', f'NEW.{c}')} END IF;" for c in self.columns
        )
        return f"IF TG_OP = 'INSERT' THEN {inserted} ELSIF TG_OP = 'DELETE' THEN {removed} ELSE {updated} END IF;"

    def _action(self) -> str:
        # Kept as one CASE per operation: PL/pgSQL must not look at OLD on insert, nor at NEW on delete.
        return (
            f"CASE TG_OP WHEN 'DELETE' THEN '{self.deleted.value}' "
            f"WHEN 'INSERT' THEN {_first(self.created)} ELSE {_first(self.changed)} END"
        )

    @staticmethod
    def _by_row(expression: str) -> str:
        if "{row}" not in expression:
            return expression
        old, new = expression.format(row="OLD"), expression.format(row="NEW")
        return f"CASE TG_OP WHEN 'DELETE' THEN {old} ELSE {new} END"


def _first(actions: Sequence[tuple[str, Action]]) -> str:
    *conditional, (_, otherwise) = actions
    if not conditional:
        return f"'{otherwise.value}'"
    cases = " ".join(f"WHEN {condition} THEN '{action.value}'" for condition, action in conditional)
    return f"CASE {cases} ELSE '{otherwise.value}' END"
