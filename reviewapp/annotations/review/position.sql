-- The columns of an annotation that a queue may be ordered by, in the order of the model's fields.
-- Indexes: annotations_annotation_pkey
SELECT id, decided_at, sureness, relevance, settled_at
FROM annotations_annotation
WHERE id = %(annotation)s
