-- Make claimed changes due at another time, if the claim still holds: with the `due` that it set.
-- The claims are given up, without counting an attempt, or kept.
-- Indexes: outbox_change_pkey or change_due_by_rank
UPDATE outbox_change
SET due = %(until)s, claimed_at = CASE WHEN %(keep)s THEN claimed_at END
FROM unnest(%(ids)s::bigint[], %(dues)s::timestamptz[]) AS held (id, due)
WHERE outbox_change.id = held.id AND outbox_change.due = held.due AND state = 'queued'
RETURNING outbox_change.id
