-- How many items a person decided since a moment and how many a filter shows, up to {cap}.
SELECT
    (SELECT count(*) FROM (
        SELECT FROM annotations_annotation
        WHERE reviewer_id = %(person)s AND decided_at >= %(since)s
        LIMIT {cap}) capped),
    (SELECT count(*) FROM (
        SELECT FROM annotations_annotation WHERE {left} LIMIT {cap}) capped)
