"""Each `.sql` file of the product is valid, fits its type, and uses the indexes that it names.

A file names them in a comment: `-- Indexes: first_idx, second_idx or one_as_good`; one that reads no
table names none. A file that names places for pieces of SQL, such as `{condition}`, is tested as
the product fills it in (`statements.py` in `tests/annotations/decide/`, `tests/annotations/queue/`,
`tests/api/annotations/` and `tests/outbox/`).
"""

from __future__ import annotations

import importlib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from reviewapp.api.annotations.list import list_statement
from reviewapp.postgres.statement import Statement
from tests.annotations.decide import statements as decide_statements
from tests.annotations.queue import statements as queue_statements
from tests.api.annotations import statements as api_statements
from tests.outbox import statements as outbox_statements
from tests.template_database import template_database
from tools.bench.loading import load

ROOT = Path(settings.BASE_DIR)
# A script for psql, which no module runs.
SCRIPT = ROOT / "reviewapp" / "operations" / "backup" / "empty.sql"
PLACE = re.compile(r"{\w+}")
FILES = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "reviewapp").rglob("*.sql")
    if path != SCRIPT and not PLACE.search(path.read_text())
)
NAMES = [path.as_posix() for path in FILES]
FILLED_IN = (
    decide_statements.every_statement,
    queue_statements.every_statement,
    api_statements.every_statement,
    outbox_statements.every_statement,
)
INDEXED = (
    decide_statements.every_statement,
    queue_statements.indexed_statements,
    api_statements.indexed_statements,
    outbox_statements.every_statement,
)
RESULTS = 100_000
# The loaded changes are all delivered, so the indexes of queued ones would be empty. One in a
# hundred annotations has a queued one: for one in twenty, PostgreSQL estimates the same cost for
# looking up each of them as for reading all annotations, and its sample decides.
WAITING = """
INSERT INTO outbox_change (
    ref, verb, fields, base, actor_name, retriever_id, state, reason, field_errors,
    attempts, upstream_request_id, rank, due, created_at
)
SELECT ref, 'set', '{}', '{}', '', '', 'queued', '', '{}',
    0, '', id % 2, now() + id * interval '1 second', now()
FROM annotations_annotation LIMIT 1000;
INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock)
SELECT 'default', 'sync.deliver', 'lock ' || n FROM generate_series(1, 5000) n;
ANALYZE outbox_change;
ANALYZE procrastinate_jobs
"""
# Who signs in there: `load` makes only the few people of the demo.
PEOPLE = """
INSERT INTO accounts_user (
    username, username_key, pseudonym, password, first_name, last_name, email, theme, key_map,
    is_superuser, is_staff, is_active, single_keys, blur_media, greyscale_media, mute_media,
    date_joined
)
SELECT 'p' || n, 'p' || n, 'p' || n, '', '', '', '', 'system', '{}', false, false, true, true,
    false, false, false, now()
FROM generate_series(1, 2000) n;

INSERT INTO django_session (session_key, session_data, expire_date)
SELECT 'session' || n, repeat('x', 300), now() + interval '1 day'
FROM generate_series(1, 2000) n;

INSERT INTO api_apitoken (owner_id, name, prefix, digest, scope, created_at, expires_at)
SELECT id, 'nightly', username, username, 'read', now(), now() + interval '1 day'
FROM accounts_user;

ANALYZE accounts_user, django_session, api_apitoken
"""
# Nobody has an item open there.
LEASES = """
INSERT INTO annotations_lease (annotation_id, holder_id, until)
SELECT id, (SELECT min(id) FROM accounts_user), now() + interval '5 minutes'
FROM annotations_annotation LIMIT 2000;
ANALYZE annotations_lease
"""


def statement(path: Path) -> Statement[Any]:
    """Return the statement that a module in the folder of `path` made of the file."""
    loads = re.compile(
        rf'^(\w+)(?:: [^=]+)? = sql_file\(\s*__file__,\s*"{path.name}"', re.MULTILINE
    )
    for module_path in (ROOT / path).parent.glob("*.py"):
        found = loads.search(module_path.read_text())
        if found:
            name = ".".join(module_path.relative_to(ROOT).with_suffix("").parts)
            loaded = getattr(importlib.import_module(name), found[1])
            assert isinstance(loaded, Statement)
            return loaded
    raise AssertionError(f"no module beside {path} uses it")


def numbered(text: str) -> str:
    """Return a statement with $1, $2, ... for its named parameters, as PostgreSQL gets it."""
    numbers: dict[str, int] = {}
    count = itertools.count(1)

    def number(match: re.Match[str]) -> str:
        if match[1] not in numbers:
            numbers[match[1]] = next(count)
        return f"${numbers[match[1]]}"

    return re.sub(r"%\((\w+)\)s", number, text).replace("%%", "%")


def number_of_columns(text: str) -> int:
    """Return how many columns a statement selects; raises an error if it is not valid."""
    with connection.cursor() as cursor:
        cursor.execute(f"PREPARE checked AS {numbered(text)}")
        cursor.execute("SELECT result_types FROM pg_prepared_statements WHERE name = 'checked'")
        ((types,),) = cursor.fetchall()
        cursor.execute("DEALLOCATE checked")
    return len(types or ())


@pytest.mark.django_db
@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_it_is_valid_and_selects_the_fields_of_its_type(path: Path) -> None:
    loaded = statement(path)
    number = number_of_columns(loaded.text)
    if is_dataclass(loaded.row):
        assert number == len(fields(loaded.row))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "every_statement", FILLED_IN, ids=["decide", "queue", "API list", "outbox"]
)
def test_it_is_valid_however_it_is_filled_in(
    every_statement: Callable[[], Iterator[tuple[str, Statement[Any]]]],
) -> None:
    loaded = {statement.text: statement for _, statement in every_statement()}
    for text, filled_in in loaded.items():
        number = number_of_columns(text)
        if is_dataclass(filled_in.row):
            assert number == len(fields(filled_in.row))


@pytest.fixture(scope="module")
def filled() -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database with as many results as a busy installation has."""
    # Each process of the tests has one of its own.
    name = f"{connection.settings_dict['NAME']}_filled"
    template = template_database(Path(connection.settings_dict["EMBEDDED_DIR"]).parent)
    parameters = connection.get_connection_params() | {"dbname": "postgres"}
    url = psycopg.conninfo.make_conninfo(
        host=parameters["host"], port=parameters["port"], user=parameters["user"], dbname=name
    )
    with psycopg.connect(**parameters, autocommit=True) as server:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        server.execute(drop)
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        for _ in load(url, RESULTS):
            pass
        with psycopg.connect(url) as opened:
            opened.execute(WAITING)
            opened.execute(PEOPLE)
            opened.execute(LEASES)
            yield opened
        server.execute(drop)


@pytest.mark.long
@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_its_plan_uses_the_indexes_that_it_names(
    path: Path, filled: psycopg.Connection[Any]
) -> None:
    plan = filled.execute(f"EXPLAIN (GENERIC_PLAN) {numbered(statement(path).text)}").fetchall()
    lines = "\n".join(line for (line,) in plan)
    named = re.search(r"-- Indexes?: (.+)", (ROOT / path).read_text())
    if named is None:
        assert set(re.findall(r"(\w+) Scan on", lines)) == {"Function"}, "it names no index"
        return
    for index in named[1].split(", "):
        assert any(name in lines for name in index.split(" or ")), lines
    for table in ("annotations_annotation", "outbox_change", "audit_event"):
        assert f"Seq Scan on {table}" not in lines, lines


@pytest.mark.long
@pytest.mark.parametrize("statements", INDEXED, ids=["decide", "queue", "API list", "outbox"])
def test_it_reads_no_table_from_end_to_end_however_it_is_filled_in(
    statements: Callable[[], Iterator[tuple[str, Statement[Any]]]],
    filled: psycopg.Connection[Any],
) -> None:
    read_whole = []
    for title, filled_in in statements():
        explain = f"EXPLAIN (GENERIC_PLAN) {numbered(filled_in.text)}"
        plan = filled.execute(explain, prepare=False).fetchall()
        lines = "\n".join(line for (line,) in plan)
        for table in ("annotations_annotation", "outbox_change"):
            if f"Seq Scan on {table}" in lines:
                read_whole.append(title)
    assert read_whole == []


@pytest.mark.long
@pytest.mark.parametrize("name", ["", "collection_id", "actor_id", "retriever_id", "label"])
def test_what_a_deep_page_of_the_api_skips_is_read_off_an_index_alone(
    name: str, filled: psycopg.Connection[Any]
) -> None:
    filled.commit()
    filled.autocommit = True
    filled.execute("VACUUM ANALYZE annotations_annotation")
    pages = """
        SELECT relpages FROM pg_class WHERE relname = 'annotations_annotation'
    """
    (table_pages,) = filled.execute(pages).fetchone() or (0,)
    names = [name] if name else []
    most_frequent = """
        SELECT annotation.collection_id, annotation.actor_id, retriever.retriever_id,
            annotation.label, count(*)
        FROM annotations_annotation annotation
        JOIN retrievers_retriever retriever ON retriever.id = annotation.retriever_id
        WHERE annotation.label > ''
        GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC LIMIT 1
    """
    values: Any = filled.execute(most_frequent).fetchone()
    columns = ("collection_id", "actor_id", "retriever_id", "label")
    parameters = {**dict(zip(columns, values, strict=False)), "skip": values[-1] * 9 // 10}

    text = list_statement(names, skip=1, limit=30).text
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}"
    ((plan,),) = filled.execute(explain, parameters).fetchall()
    used = plan[0]["Plan"]
    assert used["Shared Hit Blocks"] + used["Shared Read Blocks"] < table_pages / 4
