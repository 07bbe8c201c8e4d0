-- How often each label occurs among the newest annotations of a retriever, 500 decided and 500
-- waiting ones.
-- Indexes: annotation_retriever
SELECT label, count(*)
FROM (
    (
        SELECT label
        FROM annotations_annotation
        WHERE retriever_id = %(retriever)s AND status = 'decided'
        ORDER BY id DESC
        LIMIT 500
    )
    UNION ALL
    (
        SELECT label
        FROM annotations_annotation
        WHERE retriever_id = %(retriever)s AND status = 'waiting'
        ORDER BY id DESC
        LIMIT 500
    )
) AS newest
GROUP BY label
