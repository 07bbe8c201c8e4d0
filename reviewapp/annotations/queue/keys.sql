-- The keys of the first annotations of a list of the queue.
SELECT annotations_annotation.id
FROM annotations_annotation
WHERE {condition}
ORDER BY {order}
LIMIT {limit}
