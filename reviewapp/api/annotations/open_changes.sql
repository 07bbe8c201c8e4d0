-- The queued changes of some refs, oldest first.
-- Indexes: change_open
SELECT to_jsonb(change)
FROM outbox_change AS change
WHERE change.ref = ANY(%(refs)s::text[]) AND change.state = 'queued'
ORDER BY change.id
