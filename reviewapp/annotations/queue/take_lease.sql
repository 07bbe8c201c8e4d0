-- Lease an item to a person who opens it, unless another person has it open: its lease's key, or no
-- row. One statement, so that no other claim can intervene.
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
), oldest AS (
    -- The person holds so many others at most: what ends first is released.
    SELECT id FROM annotations_lease
    WHERE holder_id = %(person)s AND annotation_id <> %(annotation)s
    ORDER BY until DESC
    OFFSET %(others)s
), released AS (
    DELETE FROM annotations_lease
    WHERE EXISTS (SELECT FROM taken) AND id IN (
        SELECT id FROM annotations_lease WHERE id IN (SELECT id FROM oldest) FOR UPDATE SKIP LOCKED
    )
)
SELECT id FROM taken
