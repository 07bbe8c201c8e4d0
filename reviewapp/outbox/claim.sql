-- Claim due changes that are the oldest on their refs: those of the `{source}` that meet the
-- `{condition}`, in this `{order}` up to the `{limit}`. `claims.py` fills in the places.
WITH
-- A claim lost in a crash of the database is merely due again, so do not wait for the disk.
quick AS (SELECT set_config('synchronous_commit', 'off', true)),
heads AS MATERIALIZED (
    SELECT head.id
    FROM {source}
    WHERE {condition} AND head.state = 'queued' AND head.due <= %(now)s
    AND NOT EXISTS (
        SELECT FROM outbox_change older
        WHERE older.ref = head.ref AND older.state = 'queued' AND older.id < head.id
    )
    ORDER BY {order}
    LIMIT {limit}
    FOR UPDATE OF head SKIP LOCKED
)
UPDATE outbox_change
SET
    due = %(until)s,
    claimed_at = %(now)s,
    -- The worker whose claim expired may have sent it.
    maybe_sent = maybe_sent OR claimed_at IS NOT NULL
FROM quick, heads
WHERE outbox_change.id = heads.id AND state = 'queued' AND due <= %(now)s
AND (%(probing)s OR NOT EXISTS (SELECT FROM outbox_pause))
RETURNING outbox_change.*
