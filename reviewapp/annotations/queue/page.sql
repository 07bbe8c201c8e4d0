-- One page of the queue's list: what its rows show, and what they are ordered by.
-- {condition}, {order} and {limit} come from conditions.py and ordering.py.
-- The rows are chosen before any are joined, since more may have to be sorted than are listed.
SELECT
    annotations_annotation.id,
    annotations_annotation.title,
    annotations_annotation.excerpt,
    annotations_annotation.document_id,
    annotations_annotation.score,
    annotations_annotation.label,
    annotations_annotation.proposed->>'label',
    annotations_annotation.confidence,
    annotations_annotation.status,
    annotations_annotation.decided_at,
    annotations_annotation.created_at,
    retriever.name,
    reviewer.username,
    lease.until,
    lease.holder_id,
    holder.username,
    (SELECT state FROM outbox_change WHERE ref = annotations_annotation.ref ORDER BY id DESC LIMIT 1),
    annotations_annotation.sureness,
    annotations_annotation.relevance,
    annotations_annotation.settled_at
FROM (
    SELECT annotations_annotation.*
    FROM annotations_annotation
    WHERE {condition}
    ORDER BY {order}
    LIMIT {limit}
) annotations_annotation
LEFT JOIN retrievers_retriever retriever ON retriever.id = annotations_annotation.retriever_id
LEFT JOIN accounts_user reviewer ON reviewer.id = annotations_annotation.reviewer_id
LEFT JOIN annotations_lease lease
    ON lease.annotation_id = annotations_annotation.id AND NOT lease.is_prefetched
LEFT JOIN accounts_user holder ON holder.id = lease.holder_id
ORDER BY {order}
