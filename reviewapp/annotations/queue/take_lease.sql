-- Lease an item to a person who opens it, unless another person has it open: its lease's key and how
-- many other items the person holds, or no row. One statement, so that no other claim can intervene.
-- Indexes: annotations_lease_annotation_id_key
WITH quick AS (
    -- A lease that is lost in a crash of the database does no harm.
    SELECT set_config('synchronous_commit', 'off', true)
), taken AS (
    INSERT INTO annotations_lease AS held (annotation_id, holder_id, until)
    SELECT %(annotation)s::bigint, %(person)s::bigint, %(until)s::timestamptz FROM quick
    ON CONFLICT (annotation_id) DO UPDATE
        SET holder_id = excluded.holder_id, until = excluded.until, is_prefetched = false
    WHERE held.holder_id = excluded.holder_id OR held.until <= %(now)s OR held.is_prefetched
    RETURNING id
)
SELECT
    id,
    (
        SELECT count(*) FROM annotations_lease
        WHERE holder_id = %(person)s AND annotation_id <> %(annotation)s
    )
FROM taken
