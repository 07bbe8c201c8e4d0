"""Fill a database with results, annotations, decisions, delivered changes and their history.

SQL inserts a block of rows in each transaction. All triggers are active except the one that dates
decisions, so the history is written as in production. Unlike after years of real work, the events
have the time of the loading, the events of a block share one request id, and a digest is not that
of the canonical JSON. Secondary indexes are dropped first and created again at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import psycopg
from psycopg import sql

RETRIEVERS = 20
REVIEWERS = 40
PER_RUN = 100
LABELS = (
    "logo", "no logo", "old logo", "partial", "parody", "blurred", "competitor", "text only",
    "packaging", "sponsored", "counterfeit", "unclear",
)  # fmt: skip
# A rare word is in about so many documents, however many documents there are.
RARE_IN = 20
COMMON = "harbour"
MIDDLE = "lighthouse"
_BLOCK = 2_000
_TABLES = [
    "annotations_annotation",
    "annotations_decision",
    "outbox_change",
    "audit_event",
    "retrievers_result",
]

_PEOPLE = """
INSERT INTO accounts_user (id, username, password, email, first_name, last_name, is_superuser,
    is_staff,
    is_active, date_joined, theme, single_keys, key_map, blur_media, greyscale_media, mute_media,
    pseudonym)
SELECT 1000 + k, 'reviewer' || k, '!', 'reviewer' || k || '@example.com', '', '', false, false,
    true, now(), 'system', true, '{}', false, false, false, 'reviewer_' || k
FROM generate_series(1, %(reviewers)s) k;
"""

_RETRIEVERS = """
INSERT INTO retrievers_retriever (id, retriever_id, name, description, tags, stages, input_schema,
    collection_ids, budget_limits, upstream, version, created_at, updated_at, seen_at)
SELECT k, 'ret_' || k, 'Triage ' || k, 'Finds what may show a brand.', '["brand"]', '[]', '{}',
    '["col_photos"]', '{}', '{}', 1, now(), now(), now()
FROM generate_series(1, %(retrievers)s) k;
"""

_RUNS = """
INSERT INTO retrievers_execution (id, retriever_id, execution_id, inputs, status, error, warnings,
    degraded, total_returned, duration_ms, query_summary, requested_by, created_at, completed_at)
SELECT k, mod(k, %(retrievers)s) + 1, 'exec_' || k, '{"query": "brand at the harbour"}',
    'completed', '', '[]', '[]', %(per_run)s, 120, '', '', now(), now()
FROM generate_series(1, (%(count)s - 1) / %(per_run)s + 1) k;
"""

_RESULTS = """
INSERT INTO retrievers_result (id, retriever_id, execution_id, document_id, collection_id, rank,
    score, snapshot, digest, created_at)
SELECT i, mod(run, %(retrievers)s) + 1, run, document_id, 'col_photos', mod(i - 1, %(per_run)s) + 1,
    score, snapshot, encode(sha256(convert_to(snapshot::text, 'UTF8')), 'hex'), now()
FROM (
    SELECT i, (i - 1) / %(per_run)s + 1 AS run, 'doc_' || i AS document_id,
        1 - mod(i - 1, %(per_run)s) / 100.0 AS score,
        jsonb_build_object('document_id', 'doc_' || i, 'collection_id', 'col_photos',
            'title', 'Photo ' || i || ' from the street',
            'taken_at', '2026-03-01T10:00:00Z', 'camera', 'K' || mod(i, 7),
            'width', 1024 + mod(i, 512), 'height', 768, 'source', 'survey ' || mod(i, 40),
            'text', 'rare' || (i / %(rare_in)s)
                || CASE WHEN mod(i, 3) = 0 THEN ' %(common)s' ELSE '' END
                || CASE WHEN mod(i, 100) = 7 THEN ' %(middle)s' ELSE '' END
                || (SELECT string_agg(' word' || mod(i * 7919 + w * w * 104729, 5000), '')
                    FROM generate_series(1, 60) w)
        ) AS snapshot
    FROM generate_series(%(first)s::bigint, %(last)s) i
) made
"""

_ANNOTATIONS = """
INSERT INTO annotations_annotation (id, ref, annotation_id, document_id, collection_id,
    retriever_id,
    execution_id, stage_name, label, confidence, reasoning, payload, version, upstream, revisions,
    proposed, actor_id, actor_type, created_at, updated_at, seen_at, result_id, score, title,
    excerpt, words, status)
SELECT id, 'annotations/ann_' || id, 'ann_' || id, document_id, collection_id, retriever_id,
    'exec_' || execution_id, '', said->>'label', (said->>'confidence')::float, said->>'reasoning',
    '{}', 1, said,
    '[]', said, 'system', 'system', made_at, made_at, now(), id, score, snapshot->>'title',
    left(snapshot->>'text', 300), snapshot->>'text', 'waiting'
FROM (
    SELECT r.*, now() - (%(count)s - r.id) * interval '20 seconds' AS made_at, jsonb_build_object(
        'label', (%(labels)s::text[])[1 + mod(r.id * 31 + mod(r.id, 5) * r.id, 12)],
        'confidence', mod(r.id * 7919, 1000) / 1000.0,
        'reasoning', 'The mark fills ' || mod(r.id, 90) || ' percent of the sign.',
        'payload', '{}'::jsonb, 'metadata', NULL) AS said
    FROM retrievers_result r WHERE r.id BETWEEN %(first)s AND %(last)s
) read
"""

_DECISIONS = """
INSERT INTO annotations_decision (id, decision_id, annotation_id, reviewer_id, outcome, label,
    confidence,
    reasoning, payload, base, base_version, result_id, document_digest, retriever_version, seconds,
    cleared, created_at)
SELECT a.id, gen_random_uuid(), a.id, %(reviewer)s, 'decided',
    (%(labels)s::text[])[1 + mod(a.id * 17, 12)], 0.9, 'Looked at the edges: it is one.', '{}',
    a.upstream - 'metadata' || '{"decision": null}', 1,
    a.result_id, r.digest, 1, 4 + mod(a.id, 30), '{}', a.created_at + interval '1 day'
FROM annotations_annotation a JOIN retrievers_result r ON r.id = a.result_id
WHERE a.id BETWEEN %(first)s AND %(last)s AND mod(a.id, 10) IN (1, 4, 6, 8)
"""

_SHOWN = """
UPDATE annotations_annotation a
SET label = d.label, confidence = d.confidence, reasoning = d.reasoning, decision_id = d.id,
    status = 'decided', reviewer_id = d.reviewer_id, decided_at = d.created_at, version = 2,
    updated_at = d.created_at, upstream = a.upstream || jsonb_build_object(
        'label', d.label, 'confidence', 0.9, 'reasoning', d.reasoning)
FROM annotations_decision d WHERE d.id = a.id AND a.id BETWEEN %(first)s AND %(last)s
"""

_CHANGES = """
INSERT INTO outbox_change (id, ref, verb, fields, base, base_version, cause, actor_id, actor_name,
    retriever_id, state, reason, field_errors, upstream_request_id, attempts, due, created_at)
SELECT d.id, 'annotations/ann_' || d.id, 'set',
    jsonb_build_object('label', d.label, 'confidence', d.confidence, 'reasoning', d.reasoning),
    d.base - 'decision', 1, d.decision_id, d.reviewer_id, %(name)s,
    'ret_' || (mod((d.id - 1) / %(per_run)s + 1, %(retrievers)s) + 1), 'queued', '', '{}', '', 0,
    d.created_at, d.created_at
FROM annotations_decision d WHERE d.id BETWEEN %(first)s AND %(last)s
"""

_DELIVERED = """
UPDATE outbox_change
SET state = 'delivered', version = 2, settled_at = created_at + interval '1 second'
WHERE id BETWEEN %(first)s AND %(last)s
"""

_SECONDARY = """
SELECT pg_get_indexdef(i.indexrelid), i.indexrelid::regclass::text
FROM pg_index i WHERE i.indrelid = ANY(%s::regclass[]) AND NOT i.indisunique ORDER BY 2
"""


_DATE_TRIGGER = """
SELECT tgname FROM pg_trigger
WHERE tgrelid = 'annotations_decision'::regclass AND starts_with(tgname, 'pgtrigger_stamped')
"""


def fingerprint(count: int, migrations: Path) -> str:
    """Return a digest of what a database is loaded from: this file, `count`, and the migrations."""
    files = [Path(__file__), *sorted(migrations.glob("*/migrations/0*.py"))]
    return sha256(
        b"\n".join([str(count).encode(), *(path.read_bytes() for path in files)]),
    ).hexdigest()


def load(url: str, count: int) -> Iterator[str]:
    """Fill a migrated, empty database with `count` results; yields a line for each step."""
    values: dict[str, object] = {
        "count": count,
        "retrievers": RETRIEVERS,
        "reviewers": REVIEWERS,
        "per_run": PER_RUN,
        "labels": list(LABELS),
        "rare_in": RARE_IN,
    }
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bench_note (id bigserial PRIMARY KEY, body text NOT NULL)")
        for statement in (_PEOPLE, _RETRIEVERS, _RUNS):
            connection.execute(statement, values)

        _switch_date_trigger(connection, enabled=False)
        indexes = connection.execute(_SECONDARY, [_TABLES]).fetchall()
        for _, name in indexes:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))

        yield f"{count:,} results with annotations, decisions, changes and history"
        _load_blocks(url, count, values)
        _switch_date_trigger(connection, enabled=True)

        yield f"{len(indexes)} indexes"
        connection.execute("SET maintenance_work_mem = '256MB'")
        for definition, _ in indexes:
            connection.execute(definition)

        yield "statistics"
        for table in [*_TABLES, "retrievers_execution", "retrievers_retriever", "accounts_user"]:
            query = sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {}")
            connection.execute(query.format(table, sql.Identifier(table)))
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _switch_date_trigger(connection: psycopg.Connection, *, enabled: bool) -> None:
    """Switch the trigger that dates decisions, so that the loading statements can date them."""
    row = connection.execute(_DATE_TRIGGER).fetchone()
    assert row is not None
    action = sql.SQL("DISABLE")
    if enabled:
        action = sql.SQL("ENABLE")
    query = sql.SQL("ALTER TABLE annotations_decision {} TRIGGER {}")
    connection.execute(query.format(action, sql.Identifier(row[0])))


def _load_blocks(url: str, count: int, values: dict[str, object]) -> None:
    with ThreadPoolExecutor(2) as pool:
        futures = []
        for first in range(1, count + 1, _BLOCK):
            last = min(first + _BLOCK - 1, count)
            futures.append(pool.submit(_load_block, url, values, first, last))
        for future in futures:
            future.result()


def _load_block(url: str, values: dict[str, object], first: int, last: int) -> None:
    number = first // _BLOCK % REVIEWERS + 1
    reviewer = 1000 + number
    username = f"reviewer{number}"
    block = values | {"first": first, "last": last, "reviewer": reviewer, "name": username}
    results = _RESULTS.replace("%(common)s", COMMON).replace("%(middle)s", MIDDLE)

    request_id = f"load-{first}"
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL synchronous_commit = off")

        _set_acting(connection, "pull", request_id)
        connection.execute(results, block)
        connection.execute(_ANNOTATIONS, block)

        _set_acting(connection, "web", request_id, actor_id=reviewer, actor_name=username)
        for statement in (_DECISIONS, _SHOWN, _CHANGES):
            connection.execute(statement, block)

        _set_acting(connection, "worker", request_id)
        connection.execute(_DELIVERED, block)


def _set_acting(
    connection: psycopg.Connection,
    origin: str,
    request_id: str,
    **actor: object,
) -> None:
    """Tell the triggers who acts, as `audit.context.acting` does."""
    acting = json.dumps({"origin": origin, "request_id": request_id, **actor})
    connection.execute("SELECT set_config('reviewapp.acting', %s, true)", [acting])
