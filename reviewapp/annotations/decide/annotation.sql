-- An annotation with its retriever, the retriever's label set, and its result, as
-- `statements.annotation_statement` reads them. Joins do not see what was committed while a lock
-- was waited for.
SELECT
    retriever.id, retriever.retriever_id, retriever.label_set_id, retriever.guidelines_id,
    retriever.version,
    label_set.id, label_set.labels, label_set.other_allowed, label_set.starts_from,
    label_set.reasoning_required, label_set.confidence_required,
    result.id, result.digest,
    {columns}
FROM annotations_annotation annotation
LEFT JOIN retrievers_retriever retriever ON retriever.id = annotation.retriever_id
LEFT JOIN retrievers_labelset label_set ON label_set.id = retriever.label_set_id
LEFT JOIN retrievers_result result ON result.id = annotation.result_id
WHERE {condition}
