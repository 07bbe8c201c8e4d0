-- The options of the queue's filters, each list as JSON: retrievers, active people, labels. It jumps
-- from one label to the next, so the cost depends on the number of labels, not of annotations.
-- Indexes: annotation_label
WITH RECURSIVE one AS (
    (SELECT label FROM annotations_annotation WHERE label > '' ORDER BY label LIMIT 1)
    UNION ALL
    SELECT (
        SELECT annotation.label
        FROM annotations_annotation annotation
        WHERE annotation.label > one.label
        ORDER BY annotation.label
        LIMIT 1
    )
    FROM one
    WHERE one.label IS NOT NULL
)
SELECT
    (SELECT coalesce(json_agg(json_build_array(id, name, retriever_id, gone_at)), '[]')::text
     FROM (SELECT id, name, retriever_id, gone_at FROM retrievers_retriever
           ORDER BY name, id LIMIT %(most)s) retriever),
    (SELECT coalesce(json_agg(json_build_array(id, username)), '[]')::text
     FROM (SELECT id, username FROM accounts_user WHERE is_active
           ORDER BY username LIMIT %(most)s) person),
    (SELECT coalesce(json_agg(label), '[]')::text
     FROM (SELECT label FROM one WHERE label IS NOT NULL LIMIT %(labels)s) label)
