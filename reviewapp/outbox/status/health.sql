-- Whether a worker is alive, how many changes wait for a person, since when the reader's last one of
-- them does, and the pause; for every page. The count stops early.
-- Indexes: change_attention
SELECT
    EXISTS (
        SELECT FROM procrastinate_workers
        WHERE last_heartbeat > clock_timestamp() - %(silent_seconds)s * interval '1 second'
    ),
    waiting.number,
    waiting.own_since,
    pause.id,
    pause.reason,
    pause.since
FROM (
    SELECT
        count(*) AS number,
        max(settled_at) FILTER (WHERE actor_id = %(reader)s) AS own_since
    FROM (
        SELECT actor_id, settled_at FROM outbox_change
        WHERE state IN ('conflict', 'refused')
        ORDER BY id DESC
        LIMIT %(limit)s
    ) capped
) waiting
LEFT JOIN outbox_pause pause ON true
