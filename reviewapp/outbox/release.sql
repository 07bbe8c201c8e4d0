-- Give up claims that are still held, without counting an attempt.
-- Indexes: outbox_change_pkey
UPDATE outbox_change
SET due = %(until)s, claimed_at = NULL
FROM unnest(%(ids)s::bigint[], %(dues)s::timestamptz[]) AS held (id, due)
WHERE outbox_change.id = held.id AND outbox_change.due = held.due AND state = 'queued'
RETURNING outbox_change.id
