-- What is checked before a decision, after its annotation was locked: never in the statement that
-- locks, which sees only what was committed when it began.
-- Indexes: annotations_decision_decision_id_key
SELECT
    EXISTS (SELECT FROM annotations_decision WHERE decision_id = %(decision_id)s),
    EXISTS (SELECT FROM outbox_change WHERE ref = %(ref)s AND state IN ('conflict', 'refused'))
