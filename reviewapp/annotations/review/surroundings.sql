-- What the review page shows around an annotation: its execution, who has it open, the person's own
-- skip or deferral of it, the other annotations and results of its document, the executions of all
-- these, other documents of its collection (the first three of `document_ids` that are here), and
-- the person's last decisions, skip or deferral. Lists are null where they are empty.
-- Indexes: annotation_document, result_of_document, decision_last_of, outbox_change_cause_key
WITH item AS (
    SELECT
        a.id, a.document_id, a.retriever_id, a.result_id, result.digest,
        coalesce(nullif(result.collection_id, ''), a.collection_id) AS collection_id,
        own.execution_id AS result_execution,
        CASE WHEN a.execution_id = '' THEN result.execution_id
            ELSE (SELECT e.id FROM retrievers_execution e WHERE e.execution_id = a.execution_id)
        END AS execution
    FROM annotations_annotation a
    LEFT JOIN retrievers_result result ON result.id = a.result_id
    LEFT JOIN retrievers_execution own ON own.id = result.execution_id
    WHERE a.id = %(annotation)s
),
others AS (
    SELECT
        a.id, a.label, a.confidence, a.status, retriever.name AS retriever,
        CASE WHEN a.execution_id = '' THEN result.execution_id
            ELSE (SELECT e.id FROM retrievers_execution e WHERE e.execution_id = a.execution_id)
        END AS execution
    FROM item
    JOIN annotations_annotation a ON a.document_id = item.document_id AND a.id <> item.id
    LEFT JOIN retrievers_retriever retriever ON retriever.id = a.retriever_id
    LEFT JOIN retrievers_result result ON result.id = a.result_id
    ORDER BY a.status <> 'decided', a.id DESC
    LIMIT 10
),
results AS (
    SELECT
        r.id, r.rank, r.score, r.created_at, r.execution_id AS execution,
        (
            SELECT min(a.id) FROM annotations_annotation a
            WHERE a.document_id = item.document_id
                AND (a.execution_id = e.execution_id OR a.result_id = r.id)
        ) AS item,
        CASE WHEN r.digest = item.digest THEN false
            ELSE r.snapshot - %(run_keys)s::text[] <> (
                SELECT shown.snapshot - %(run_keys)s::text[]
                FROM retrievers_result shown WHERE shown.id = item.result_id
            )
        END AS is_different
    FROM item
    JOIN retrievers_result r
        ON r.document_id = item.document_id AND r.id IS DISTINCT FROM item.result_id
    LEFT JOIN retrievers_execution e ON e.id = r.execution_id
    ORDER BY r.id DESC
    LIMIT 10
),
documents AS (
    SELECT
        named.place, newest.document_id, newest.snapshot,
        (
            SELECT jsonb_build_object('id', a.id, 'label', a.label, 'status', a.status)
            FROM annotations_annotation a
            WHERE a.document_id = newest.document_id
            ORDER BY a.retriever_id IS DISTINCT FROM item.retriever_id, a.id DESC
            LIMIT 1
        ) AS item
    FROM item
    CROSS JOIN unnest(%(document_ids)s::text[]) WITH ORDINALITY AS named (document_id, place)
    CROSS JOIN LATERAL (
        SELECT r.document_id, r.snapshot
        FROM retrievers_result r
        WHERE r.document_id = named.document_id AND r.collection_id = item.collection_id
        ORDER BY r.id DESC
        LIMIT 1
    ) newest
    ORDER BY named.place
    LIMIT 3
),
decisions AS ({recent_decisions}),
last_aside AS (
    SELECT
        s.annotation_id, coalesce(nullif(a.title, ''), a.document_id) AS title, s.kind, s.created_at
    FROM annotations_setaside s
    JOIN annotations_annotation a ON a.id = s.annotation_id
    WHERE s.person_id = %(person)s
    ORDER BY s.created_at DESC
    LIMIT 1
)
SELECT
    item.execution,
    item.result_execution,
    (
        SELECT jsonb_object_agg(e.id, to_jsonb(e) - ARRAY['error', 'warnings', 'degraded']
            || jsonb_build_object('name', r.name, 'input_schema', r.input_schema))
        FROM retrievers_execution e
        JOIN retrievers_retriever r ON r.id = e.retriever_id
        WHERE e.id IN (
            SELECT item.execution
            UNION SELECT execution FROM others
            UNION SELECT execution FROM results
        )
    ),
    (
        SELECT to_jsonb(l)
            || jsonb_build_object('holder', jsonb_build_object('id', u.id, 'username', u.username))
        FROM annotations_lease l
        JOIN accounts_user u ON u.id = l.holder_id
        WHERE l.annotation_id = item.id
    ),
    (
        SELECT to_jsonb(s) FROM annotations_setaside s
        WHERE s.annotation_id = item.id AND s.person_id = %(person)s
    ),
    (SELECT jsonb_agg(to_jsonb(o) ORDER BY o.status <> 'decided', o.id DESC) FROM others o),
    (SELECT jsonb_agg(to_jsonb(r) ORDER BY r.id DESC) FROM results r),
    (SELECT jsonb_agg(to_jsonb(d) - 'place' ORDER BY d.place) FROM documents d),
    (SELECT jsonb_agg(to_jsonb(d) ORDER BY d.id DESC) FROM decisions d),
    (SELECT to_jsonb(a) FROM last_aside a)
FROM item
