-- Whether an annotation of a retriever has a label; for no retriever (null), one without a retriever
-- among all that have it. Annotations without a retriever are few.
-- Indexes: annotation_labels
SELECT
    EXISTS (
        SELECT
        FROM annotations_annotation
        WHERE retriever_id = %(retriever)s::bigint AND label = %(label)s
    )
    OR (
        %(retriever)s::bigint IS NULL
        AND EXISTS (
            SELECT
            FROM annotations_annotation
            WHERE retriever_id IS NULL AND label = %(label)s
        )
    )
