-- The position of the last row of a stretch of a list, read from the list's index alone; no row if
-- the list ends before.
SELECT {columns}
FROM annotations_annotation
WHERE {condition}
ORDER BY {order}
OFFSET {offset}
LIMIT 1
