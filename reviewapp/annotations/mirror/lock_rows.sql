-- Lock the annotations of refs and of upstream's records, in the order of their keys. A record may
-- fill the unannotated row of its document and execution.
-- Indexes: annotations_annotation_ref, annotations_annotation_annotation_id, once_unannotated
-- (of the first two, the beginning: each column has two indexes that serve)
SELECT id
FROM annotations_annotation
WHERE ref = ANY(%(refs)s::text[])
OR annotation_id = ANY(%(annotation_ids)s::text[])
OR (
    annotation_id IS NULL
    AND document_id = ANY(%(document_ids)s::text[])
    AND execution_id = ANY(%(execution_ids)s::text[])
)
ORDER BY id
FOR UPDATE
