-- Find the first free item of a filter, lock it and lease it, in one statement. Rows that another
-- claim has locked are skipped, so ten people who claim at once get ten items without waiting for
-- each other.
-- No row: nothing is free. Otherwise the item; whether it could be leased: not if another person
-- leased it after this statement began to read, and unlocked it before it got here; and how many
-- other items the person holds.
WITH free AS (
    SELECT annotations_annotation.id
    FROM annotations_annotation
    WHERE {condition}
    ORDER BY {order}
    LIMIT 1
    FOR UPDATE SKIP LOCKED
), quick AS (
    -- A lease that is lost in a crash of the database does no harm.
    SELECT set_config('synchronous_commit', 'off', true)
), taken AS (
    INSERT INTO annotations_lease AS held (annotation_id, holder_id, until, is_prefetched)
    SELECT free.id, %(person)s::bigint, %(until)s::timestamptz, %(prefetches)s::bool
    FROM free, quick
    ON CONFLICT (annotation_id) DO UPDATE
        SET holder_id = excluded.holder_id, until = excluded.until,
            -- What this person has open in another tab stays open.
            is_prefetched = excluded.is_prefetched AND (
                held.is_prefetched
                OR held.until <= %(now)s
                OR held.holder_id <> excluded.holder_id
            )
    WHERE held.holder_id = excluded.holder_id
        OR held.until <= %(now)s
        OR (held.is_prefetched AND %(takes_prefetched)s::bool)
    RETURNING annotation_id
)
SELECT
    free.id,
    taken.annotation_id IS NOT NULL,
    (
        SELECT count(*) FROM annotations_lease
        WHERE holder_id = %(person)s AND annotation_id <> free.id
    )
FROM free LEFT JOIN taken ON true
