-- Some annotations that match a search, in any order.
-- Indexes: annotation_search
SELECT ref, annotation_id
FROM annotations_annotation
WHERE search @@ %(words)s::tsquery
LIMIT %(limit)s
