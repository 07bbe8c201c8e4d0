-- The timeline of one thing: its newest events.
-- Indexes: event_about
SELECT
    id, at, actor_id, actor_name, action, ref, retriever_id, origin, request_id, changes, note
FROM audit_event
WHERE ref = %(ref)s
ORDER BY at DESC, id DESC
LIMIT %(limit)s
