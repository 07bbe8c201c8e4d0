-- Count a request of a token in the current minute. One statement, so one round trip. Nobody waits
-- for the disk, because a count that is lost in a crash is no harm.
-- Indexes: api_tokenuse_pkey
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO api_tokenuse (token_id, minute, requests)
SELECT %(token)s, %(minute)s, 1 FROM quick
ON CONFLICT (token_id) DO UPDATE SET
    requests = CASE
        WHEN api_tokenuse.minute = excluded.minute THEN api_tokenuse.requests + 1
        ELSE 1
    END,
    minute = excluded.minute
RETURNING requests
