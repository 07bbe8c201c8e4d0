"""The triggers that write history and guard it: declared on a model, run by the database on every path to a row.

Their functions belong to the owner of the tables and run as the owner (`trigger_sql.py`), so that the app's own
database user needs no right to write events. SQL in a declaration names each table with its schema.

What the app says about itself (`context.acting`) is read with care: a setting that is forged into nonsense is passed
over, because history must never be the reason why a write fails.
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

_WRITE = """
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


class Kept(OwnerTrigger, pgtrigger.Protect):
    """Refuse to update or delete a row."""

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name, operation=pgtrigger.Update | pgtrigger.Delete)


class NeverUpdated(OwnerTrigger, pgtrigger.Protect):
    """Refuse to update a row that only comes and goes, such as one that joins two others."""

    def __init__(self) -> None:
        super().__init__(name="never_updated", operation=pgtrigger.Update)


class Stamped(OwnerTrigger):
    """Let the database say when a row was made, whatever the statement says: nothing is dated back."""

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
    """Write an event for each insert and delete, and for each update that changes one of the columns.

    `columns` are what people change; `constant` what nobody should, so it is only worth a word when it did change, as
    the row's own key is;
    `named` are values that no column holds as such: `{name: SQL over {row}}`, such as the name behind a foreign key.
    Of `secret` values, also SQL over `{row}`, an update tells that they changed, and both sides are null. `unexpected`
    is `{column: condition}`: an update tells of the column where the condition holds, which the app never causes.
    Nothing is written while `unless`, a condition, holds. `options` are pgtrigger's own, such as `timing`.
    `actions` are (condition, action) pairs in SQL over `NEW` (and `OLD` on update), the first that holds wins;
    `created` and `deleted` name the two ends. `ref` and `retriever` are SQL over `{row}`, which becomes NEW, or
    OLD when the row is deleted. The diff is `{column: [old, new]}`; the other side of a new or deleted row is null,
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
        self.constant, self.ref, self.retriever = constant, ref, retriever
        self.secret, self.unexpected, self.unless = secret or {}, unexpected or {}, unless
        self.created = [("true", created)] if isinstance(created, Action) else created
        self.changed, self.deleted = changed, deleted
        super().__init__(name=name, **options)

    def get_func(self, model: Any) -> str:
        """Return the PL/pgSQL body; one branch a column, so that an unrelated update costs comparisons only."""
        skip = f"IF {self.unless} THEN RETURN NULL; END IF; " if self.unless else ""
        return _WRITE.format(
            diff=skip + self._diff(model._meta.pk.column),
            origins=", ".join(f"'{origin.value}'" for origin in Origin),
            action=self._action(),
            ref=_by_row(self.ref),
            key=_by_row(f"{{row}}.{model._meta.pk.column}"),
            retriever=_by_row(self.retriever),
        )

    def _diff(self, key: str) -> str:
        pairs = [(name, value.format(row="OLD"), value.format(row="NEW")) for name, value in self.values.items()]
        inserted = " ".join(_note(name, "NULL", new, when=_filled(new)) for name, _, new in pairs)
        removed = " ".join(_note(name, old, "NULL", when=_filled(old)) for name, old, _ in pairs)
        # With the key of another row, a row takes over all that refers to that one: roles, decisions, results.
        constant = dict.fromkeys([*self.constant, key])
        kept = [(column, f"OLD.{column}", f"NEW.{column}") for column in constant]
        updates = [_note(name, old, new, when=f"{old} IS DISTINCT FROM {new}") for name, old, new in [*pairs, *kept]]

        for name, value in self.secret.items():
            old, new = value.format(row="OLD"), value.format(row="NEW")
            updates.append(_note(name, "NULL", "NULL", when=f"{old} IS DISTINCT FROM {new}"))

        for column, condition in self.unexpected.items():
            old, new = f"OLD.{column}", f"NEW.{column}"
            updates.append(_note(column, old, new, when=f"{old} IS DISTINCT FROM {new} AND ({condition})"))

        updated = " ".join(updates)
        return f"IF TG_OP = 'INSERT' THEN {inserted} ELSIF TG_OP = 'DELETE' THEN {removed} ELSE {updated} END IF;"

    def _action(self) -> str:
        # Kept as one CASE per operation: PL/pgSQL must not look at OLD on insert, nor at NEW on delete.
        return (
            f"CASE TG_OP WHEN 'DELETE' THEN '{self.deleted.value}' "
            f"WHEN 'INSERT' THEN {_first(self.created)} ELSE {_first(self.changed)} END"
        )


def _note(name: str, old: str, new: str, *, when: str) -> str:
    return f"IF {when} THEN diff := diff || jsonb_build_object('{name}', jsonb_build_array({old}, {new})); END IF;"


def _filled(value: str) -> str:
    return f"coalesce(to_jsonb({value}), 'null') NOT IN ('null', '\"\"', '{{}}', '[]')"


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
