-- Lock an annotation until the transaction ends, and read what a decision needs of it. The joins
-- do not see what was committed while the lock was waited for.
-- Indexes: annotations_annotation_pkey
SELECT
    retriever.id, retriever.retriever_id, retriever.label_set_id, retriever.guidelines_id,
    retriever.version,
    label_set.id, label_set.labels, label_set.other_allowed, label_set.starts_from,
    label_set.reasoning_required, label_set.confidence_required,
    result.id, result.digest,
    annotation.id, annotation.ref, annotation.annotation_id, annotation.document_id,
    annotation.retriever_id, annotation.label, annotation.confidence, annotation.reasoning,
    annotation.payload, annotation.metadata, annotation.version, annotation.result_id,
    annotation.status, annotation.decision_id
FROM annotations_annotation annotation
LEFT JOIN retrievers_retriever retriever ON retriever.id = annotation.retriever_id
LEFT JOIN retrievers_labelset label_set ON label_set.id = retriever.label_set_id
LEFT JOIN retrievers_result result ON result.id = annotation.result_id
WHERE annotation.id = %(pk)s
FOR UPDATE OF annotation
