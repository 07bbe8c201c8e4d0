-- One page of the annotations that match, in the order in which they came here. The page's keys are
-- read first, from an index alone where there is one: what is skipped is not opened or joined.
SELECT
    {columns},
    retriever.retriever_id,
    reviewer.username,
    EXISTS (SELECT FROM outbox_change WHERE ref = annotation.ref AND state = 'queued')
FROM (
    SELECT annotation.id
    FROM annotations_annotation annotation
    WHERE {condition}
    ORDER BY {order}
    OFFSET %(skip)s
    LIMIT {limit}
) page
JOIN annotations_annotation annotation ON annotation.id = page.id
LEFT JOIN retrievers_retriever retriever ON retriever.id = annotation.retriever_id
LEFT JOIN accounts_user reviewer ON reviewer.id = annotation.reviewer_id
ORDER BY annotation.id
