-- When the next change becomes due, NULL if none is waiting for its time.
-- Indexes: change_due_by_rank
SELECT min(soonest.due)
FROM (VALUES (0), (1)) ranks (rank)
CROSS JOIN LATERAL (
    SELECT change.due FROM outbox_change change
    WHERE change.state = 'queued' AND change.rank = ranks.rank
    AND change.due > %(now)s AND change.claimed_at IS NULL
    ORDER BY change.due
    LIMIT 1
) soonest
