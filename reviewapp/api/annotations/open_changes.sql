-- The queued changes of some refs, oldest first. They are looked for among the changes of these refs
-- only, however few or many are queued when the plan is made.
-- Indexes: change_about
WITH about AS MATERIALIZED (
    SELECT *
    FROM outbox_change
    WHERE ref = ANY(%(refs)s::text[])
)
SELECT to_jsonb(about)
FROM about
WHERE state = 'queued'
ORDER BY id
