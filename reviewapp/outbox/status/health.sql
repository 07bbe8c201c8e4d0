-- Whether a worker is alive, how many changes wait for a person, and the pause; for every page. The
-- count stops early.
-- Indexes: change_attention
SELECT
    EXISTS (
        SELECT FROM procrastinate_workers
        WHERE last_heartbeat > clock_timestamp() - %(silent_seconds)s * interval '1 second'
    ),
    waiting.number,
    pause.id,
    pause.reason,
    pause.since
FROM (
    SELECT count(*) AS number
    FROM (
        SELECT FROM outbox_change
        WHERE state IN ('conflict', 'refused')
        ORDER BY id DESC
        LIMIT %(limit)s
    ) capped
) waiting
LEFT JOIN outbox_pause pause ON true
