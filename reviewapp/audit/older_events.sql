-- A page of the whole history: the events before a position, newest first.
-- Indexes: event_newest
SELECT
    id, at, actor_id, actor_name, action, ref, retriever_id, origin, request_id, changes, note
FROM audit_event
WHERE (at, id) < (%(at)s, %(id)s)
ORDER BY at DESC, id DESC
LIMIT %(limit)s
