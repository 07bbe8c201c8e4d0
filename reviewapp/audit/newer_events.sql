-- A page of the history: the events of a kind after a position, oldest first.
-- Indexes: event_newest, event_by_people
SELECT
    id, at, actor_id, actor_name, action, ref, retriever_id, origin, request_id, changes, note
FROM audit_event
WHERE {condition} AND (at, id) > (%(at)s, %(id)s)
ORDER BY at, id
LIMIT %(limit)s
