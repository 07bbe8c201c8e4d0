-- Lock an annotation that a PATCH names by Mixpeek's id or by its local one, and read what a
-- decision needs (as `annotations/decide/lock.sql` does) and what its JSON shows.
-- Indexes: annotations_annotation_annotation_id, annotations_annotation_ref
SELECT
    retriever.id, retriever.retriever_id, retriever.label_set_id, retriever.guidelines_id,
    retriever.version,
    label_set.id, label_set.labels, label_set.other_allowed, label_set.starts_from,
    label_set.reasoning_required, label_set.confidence_required,
    result.id, result.digest,
    annotation.id, annotation.ref, annotation.annotation_id, annotation.document_id,
    annotation.collection_id, annotation.retriever_id, annotation.execution_id,
    annotation.stage_name, annotation.label, annotation.confidence, annotation.reasoning,
    annotation.payload, annotation.metadata, annotation.version, annotation.upstream,
    annotation.revisions, annotation.actor_id, annotation.actor_type, annotation.created_at,
    annotation.updated_at, annotation.result_id, annotation.status, annotation.decision_id,
    annotation.reviewer_id
FROM annotations_annotation annotation
LEFT JOIN retrievers_retriever retriever ON retriever.id = annotation.retriever_id
LEFT JOIN retrievers_labelset label_set ON label_set.id = retriever.label_set_id
LEFT JOIN retrievers_result result ON result.id = annotation.result_id
WHERE (annotation.annotation_id = %(annotation_id)s OR annotation.ref = %(ref)s)
AND annotation.label > '' AND annotation.status <> 'gone'
ORDER BY annotation.id
LIMIT 1
FOR UPDATE OF annotation
