-- The labels of a retriever's annotations, in alphabetical order, at most 200. It jumps from one
-- label to the next, so that the cost grows with the labels, not with the annotations.
-- Indexes: annotation_labels
WITH RECURSIVE used AS (
    (
        SELECT label
        FROM annotations_annotation
        WHERE retriever_id = %(retriever)s AND label > ''
        ORDER BY label
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT a.label
        FROM annotations_annotation AS a
        WHERE a.retriever_id = %(retriever)s AND a.label > used.label
        ORDER BY a.label
        LIMIT 1
    )
    FROM used
    WHERE used.label IS NOT NULL
)
SELECT label
FROM used
WHERE label IS NOT NULL
LIMIT 200
