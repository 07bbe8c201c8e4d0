-- A person's newest decision that was not undone, and what they skipped or deferred last: one row,
-- null where there is none.
-- Indexes: decision_last_of
SELECT
    (
        SELECT to_jsonb(d) FROM (
            SELECT decision.id, decision.outcome, decision.held_until, decision.created_at
            FROM annotations_decision AS decision
            LEFT JOIN annotations_undo AS undo ON undo.decision_id = decision.id
            WHERE decision.reviewer_id = %(person)s AND undo.id IS NULL
            ORDER BY decision.id DESC
            LIMIT 1
        ) AS d
    ),
    (
        SELECT to_jsonb(s) FROM (
            SELECT
                aside.annotation_id, aside.kind, aside.created_at,
                coalesce(nullif(annotation.title, ''), annotation.document_id) AS title
            FROM annotations_setaside AS aside
            JOIN annotations_annotation AS annotation ON annotation.id = aside.annotation_id
            WHERE aside.person_id = %(person)s
            ORDER BY aside.created_at DESC
            LIMIT 1
        ) AS s
    )
