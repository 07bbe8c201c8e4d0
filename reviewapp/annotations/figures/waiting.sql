-- How many waiting items there are of each age; the places are the queue's own conditions.
-- Indexes: annotation_waiting_since
SELECT
    count(*) FILTER (WHERE {day}),
    count(*) FILTER (WHERE {week}),
    count(*) FILTER (WHERE {month}),
    count(*) FILTER (WHERE {older}),
    count(*) FILTER (WHERE {unknown})
FROM annotations_annotation
WHERE status = 'waiting'
AND (%(retriever)s::bigint IS NULL OR retriever_id = %(retriever)s)
