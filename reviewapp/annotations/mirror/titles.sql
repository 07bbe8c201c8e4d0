-- What annotations are called, in any order. Each column has two indexes that serve; only the
-- beginning of their names is given.
-- Indexes: annotations_annotation_ref, annotations_annotation_annotation_id
SELECT ref, annotation_id, coalesce(nullif(title, ''), document_id)
FROM annotations_annotation
WHERE ref = ANY(%(refs)s::text[])
OR annotation_id = ANY(%(annotation_ids)s::text[])
