-- The annotation that a decision form is checked against, not locked. `label` is what was
-- submitted; it comes back if an annotation of the same retriever has it.
-- Indexes: annotations_annotation_pkey, annotation_labels
SELECT
    (
        SELECT same.label FROM annotations_annotation same
        WHERE same.retriever_id = annotation.retriever_id AND same.label = %(label)s
        LIMIT 1
    ),
    retriever.id, retriever.retriever_id, retriever.label_set_id, retriever.guidelines_id,
    retriever.version,
    label_set.id, label_set.labels, label_set.other_allowed, label_set.starts_from,
    label_set.reasoning_required, label_set.confidence_required,
    NULL::bigint, NULL::text,
    annotation.id, annotation.ref, annotation.annotation_id, annotation.document_id,
    annotation.retriever_id, annotation.label, annotation.confidence, annotation.reasoning,
    annotation.payload, annotation.metadata, annotation.version, annotation.upstream,
    annotation.result_id, annotation.status, annotation.decision_id, annotation.decided_at,
    annotation.sureness, annotation.relevance, annotation.settled_at
FROM annotations_annotation annotation
LEFT JOIN retrievers_retriever retriever ON retriever.id = annotation.retriever_id
LEFT JOIN retrievers_labelset label_set ON label_set.id = retriever.label_set_id
WHERE annotation.id = %(pk)s
