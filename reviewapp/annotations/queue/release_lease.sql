-- Release an item if the person holds it: its lease's key, or no row. It need not reach the disk at
-- once, unless the same transaction records a decision, which has to.
-- Indexes: annotations_lease_annotation_id_key
WITH quick AS (
    SELECT CASE WHEN %(alone)s::bool THEN set_config('synchronous_commit', 'off', true) END
)
DELETE FROM annotations_lease held
USING quick
WHERE annotation_id = %(annotation)s AND holder_id = %(person)s
    AND (is_prefetched OR NOT %(only_prefetched)s::bool)
RETURNING held.id
