-- Annotations by their number and by words, the last of which may be unfinished: that of the number,
-- then those with the words in their title. The index of words is asked for its first rows alone.
-- Indexes: annotations_annotation_pkey, annotation_search
SELECT candidate.id, candidate.title, candidate.document_id, candidate.label
FROM (
    SELECT 1 AS place, id, title, document_id, label
    FROM annotations_annotation
    WHERE id = %(number)s::bigint
    UNION ALL
    SELECT CASE WHEN matching.title ~* %(in_title)s::text THEN 2 ELSE 3 END,
        matching.id, matching.title, matching.document_id, matching.label
    FROM (
        SELECT id, title, document_id, label
        FROM annotations_annotation
        WHERE search @@ (SELECT %(words)s::tsquery)
        LIMIT 200
    ) AS matching
) AS candidate
ORDER BY candidate.place, candidate.id DESC
LIMIT %(limit)s::bigint
