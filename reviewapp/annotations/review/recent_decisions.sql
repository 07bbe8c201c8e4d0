-- A person's last ten decisions, of any annotation, newest first, each with how its change ended.
-- Indexes: decision_last_of, outbox_change_cause_key
SELECT
    d.id, d.annotation_id, coalesce(nullif(a.title, ''), a.document_id) AS title, d.outcome,
    d.label, d.confidence, d.created_at, d.held_until, undo.id IS NOT NULL AS taken_back,
    change.merged IS NOT NULL AS merged, change.id AS change_id, change.state AS change_state
FROM annotations_decision d
JOIN annotations_annotation a ON a.id = d.annotation_id
LEFT JOIN annotations_undo undo ON undo.decision_id = d.id
-- Row by row: the planner would otherwise join all decisions with all changes.
LEFT JOIN LATERAL (
    SELECT c.id, c.merged, c.state FROM outbox_change c WHERE c.cause = d.decision_id LIMIT 1
) change ON true
WHERE d.reviewer_id = %(person)s
ORDER BY d.id DESC
LIMIT 10
