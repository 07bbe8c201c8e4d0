"""Triggers that write and guard the history: declared on a model, run by the database on any write.

Their functions belong to the owner of the tables and run as the owner (`trigger_sql.py`), so that
the app's own database user needs no right to write events. SQL in a declaration names each table
with its schema.

The setting that the app writes (`context.acting`) is not trusted: an unreadable one is ignored,
because history must never be the reason why a write fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pgtrigger
from pgtrigger import compiler

from reviewapp.audit.actions import Action, Origin
from reviewapp.audit.trigger_sql import OwnerTriggerSql

_DECLARE = [
    ("diff", "jsonb := '{}'"),
    ("acting", "jsonb := '{}'"),
    ("acting_id", "bigint"),
    ("acting_origin", f"text := '{Origin.SQL.value}'"),
    (
        "acting_note",
        "text := 'as database user ' || session_user"
        " || coalesce(' through ' || nullif(current_setting('application_name'), ''), '')",
    ),
]

# The primary key of every tracked table.
_KEY = "id"

_FUNCTION_BODY = """
    {diff}
    IF diff = '{{}}' AND TG_OP = 'UPDATE' THEN
        RETURN NULL;
    END IF;
    IF coalesce(current_setting('reviewapp.acting', true), '') <> '' THEN
        BEGIN
            acting := current_setting('reviewapp.acting')::jsonb;
            acting_id := (acting->>'actor_id')::bigint;
            IF acting->>'origin' IN ({origins}) THEN
                acting_origin := acting->>'origin';
                acting_note := coalesce(acting->>'note', '');
            ELSE
                RAISE EXCEPTION 'no such origin';
            END IF;
        EXCEPTION WHEN OTHERS THEN
            acting := '{{}}';
            acting_id := NULL;
            acting_note := acting_note || ', with an unreadable reviewapp.acting';
        END;
    END IF;
    INSERT INTO public.audit_event
        (at, actor_id, actor_name, action, ref, retriever_id, origin, request_id, changes, note)
    VALUES (
        clock_timestamp(),
        acting_id,
        left(coalesce(acting->>'actor_name', session_user), 150),
        {action},
        coalesce({ref}, TG_TABLE_NAME || '/' || {key}),
        coalesce({retriever}, ''),
        acting_origin,
        left(coalesce(acting->>'request_id', ''), 64),
        diff,
        left(acting_note, 20000)
    );
    RETURN NULL;
"""


class OwnerTrigger(pgtrigger.Trigger):
    """A trigger that runs as the owner of the tables, and that no setting switches off."""

    def compile(self, model: Any) -> compiler.Trigger:
        """Return the trigger as migrations hold it."""
        compiled = super().compile(model)
        return compiler.Trigger(name=compiled.name, sql=OwnerTriggerSql(**compiled.sql.kwargs))


class Immutable(OwnerTrigger, pgtrigger.Protect):
    """Refuse to update or delete a row."""

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name, operation=pgtrigger.Update | pgtrigger.Delete)


class NeverUpdated(OwnerTrigger, pgtrigger.Protect):
    """Refuse to update a row that is only inserted and deleted, such as one of a join table."""

    def __init__(self) -> None:
        super().__init__(name="never_updated", operation=pgtrigger.Update)


class CreationTimestamp(OwnerTrigger):
    """Set the creation time in the database, whatever the statement says: no backdating."""

    when = pgtrigger.Before
    operation = pgtrigger.Insert

    def __init__(self, column: str) -> None:
        self.column = column
        super().__init__(name="stamped")

    def get_func(self, model: Any) -> str:
        """Return the body, which sets the column."""
        return f"NEW.{self.column} := clock_timestamp(); RETURN NEW;"


class NeverTruncated(OwnerTrigger):
    """Refuse TRUNCATE, which no row trigger sees."""

    when = pgtrigger.Before
    operation = pgtrigger.Truncate
    level = pgtrigger.Statement

    def __init__(self) -> None:
        super().__init__(name="never_truncated")

    def get_func(self, model: Any) -> str:
        """Return the body: an error that names the table."""
        return "RAISE EXCEPTION '% cannot be truncated: it would leave no history', TG_TABLE_NAME;"


class Tracked(OwnerTrigger):
    """Write an event for each insert and delete, and for each update that changes a tracked value.

    SQL over `{row}` becomes SQL over NEW, or over OLD when the row is deleted.

    - `columns`: columns that people change.
    - `constant`: columns that should never change; logged only if they do. The key is one of them.
    - `named`: `{name: SQL over {row}}`, values that no column holds, such as a foreign key's name.
    - `secret`: `{name: SQL over {row}}`; an update logs that the value changed, with null for both.
    - `unexpected`: `{column: condition}`; an update logs the column only where the condition holds,
      which the app never causes.
    - `unless`: a condition; nothing is written while it holds.
    - `created`, `changed`: an action, or (condition, action) pairs in SQL over NEW (and OLD for
      `changed`), of which the first that holds applies. `deleted`: the action of a delete.
    - `ref`, `retriever`: SQL over `{row}`, the ref and the retriever of the event.
    - `options`: pgtrigger's own, such as `timing`.

    The event's changes are `{column: [old, new]}`. The other side of a new or deleted row is null,
    and its empty values are left out.
    """

    when = pgtrigger.After
    operation = pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete
    declare = _DECLARE

    def __init__(
        self,
        *,
        columns: Sequence[str],
        created: Sequence[tuple[str, Action]] | Action,
        changed: Sequence[tuple[str, Action]],
        deleted: Action,
        constant: Sequence[str] = (),
        named: Mapping[str, str] | None = None,
        secret: Mapping[str, str] | None = None,
        unexpected: Mapping[str, str] | None = None,
        unless: str = "",
        ref: str = "{row}.ref",
        retriever: str = "NULL",
        name: str = "tracked",
        **options: Any,
    ) -> None:
        self.values = {column: f"{{row}}.{column}" for column in columns} | dict(named or {})
        self.constant = constant
        self.secret = secret or {}
        self.unexpected = unexpected or {}
        self.unless = unless
        self.ref = ref
        self.retriever = retriever
        self.created = [("true", created)] if isinstance(created, Action) else created
        self.changed = changed
        self.deleted = deleted
        super().__init__(name=name, **options)

    def get_func(self, model: Any) -> str:
        """Return the PL/pgSQL body.

        It has one branch for each column, so an unrelated update costs comparisons only.
        """
        skip = f"IF {self.unless} THEN RETURN NULL; END IF; " if self.unless else ""
        # One CASE for each operation: PL/pgSQL must not read OLD on insert, nor NEW on delete.
        action = (
            f"CASE TG_OP WHEN 'DELETE' THEN '{self.deleted.value}'"
            f" WHEN 'INSERT' THEN {_first_action(self.created)}"
            f" ELSE {_first_action(self.changed)} END"
        )
        return _FUNCTION_BODY.format(
            diff=skip + self._diff_sql(),
            origins=", ".join(f"'{origin.value}'" for origin in Origin),
            action=action,
            ref=_by_operation(self.ref),
            key=_by_operation(f"{{row}}.{_KEY}"),
            retriever=_by_operation(self.retriever),
        )

    def _diff_sql(self) -> str:
        inserts = []
        deletes = []
        updates = []
        for name, value in self.values.items():
            old = value.format(row="OLD")
            new = value.format(row="NEW")
            inserts.append(_add_to_diff(name, "NULL", new, when=_is_not_empty(new)))
            deletes.append(_add_to_diff(name, old, "NULL", when=_is_not_empty(old)))
            updates.append(_add_to_diff(name, old, new, when=_is_changed(old, new)))

        # With the key of another row, a row takes over all that refers to that one: roles,
        # decisions, results.
        for column in dict.fromkeys([*self.constant, _KEY]):
            old = f"OLD.{column}"
            new = f"NEW.{column}"
            updates.append(_add_to_diff(column, old, new, when=_is_changed(old, new)))

        for name, value in self.secret.items():
            is_changed = _is_changed(value.format(row="OLD"), value.format(row="NEW"))
            updates.append(_add_to_diff(name, "NULL", "NULL", when=is_changed))

        for column, condition in self.unexpected.items():
            old = f"OLD.{column}"
            new = f"NEW.{column}"
            is_unexpected = f"{_is_changed(old, new)} AND ({condition})"
            updates.append(_add_to_diff(column, old, new, when=is_unexpected))

        return (
            f"IF TG_OP = 'INSERT' THEN {' '.join(inserts)}"
            f" ELSIF TG_OP = 'DELETE' THEN {' '.join(deletes)}"
            f" ELSE {' '.join(updates)} END IF;"
        )


def _add_to_diff(name: str, old: str, new: str, *, when: str) -> str:
    pair = f"jsonb_build_object('{name}', jsonb_build_array({old}, {new}))"
    return f"IF {when} THEN diff := diff || {pair}; END IF;"


def _is_changed(old: str, new: str) -> str:
    return f"{old} IS DISTINCT FROM {new}"


def _is_not_empty(value: str) -> str:
    return f"coalesce(to_jsonb({value}), 'null') NOT IN ('null', '\"\"', '{{}}', '[]')"


def _by_operation(expression: str) -> str:
    if "{row}" not in expression:
        return expression
    old = expression.format(row="OLD")
    new = expression.format(row="NEW")
    return f"CASE TG_OP WHEN 'DELETE' THEN {old} ELSE {new} END"


def _first_action(actions: Sequence[tuple[str, Action]]) -> str:
    *conditional, (_, otherwise) = actions
    if not conditional:
        return f"'{otherwise.value}'"
    cases = " ".join(f"WHEN {condition} THEN '{action.value}'" for condition, action in conditional)
    return f"CASE {cases} ELSE '{otherwise.value}' END"
