-- Why a filter shows nothing: what others hold of it and when the first of it is free, what the
-- person put off and skipped, and whether there is anything at all. Counts stop at {cap}.
SELECT
    (SELECT count(*) FROM (
        SELECT FROM annotations_annotation WHERE {held} LIMIT {cap}) capped),
    (SELECT min(lease.until)
     FROM annotations_annotation
     JOIN annotations_lease lease
        ON lease.annotation_id = annotations_annotation.id AND NOT lease.is_prefetched
     WHERE {held}),
    (SELECT count(*) FROM (
        SELECT FROM annotations_annotation WHERE {deferred} LIMIT {cap}) capped),
    (SELECT count(*) FROM (
        SELECT FROM annotations_annotation WHERE {skipped} LIMIT {cap}) capped),
    %(is_narrowed)s::bool,
    NOT EXISTS (SELECT FROM annotations_annotation)
