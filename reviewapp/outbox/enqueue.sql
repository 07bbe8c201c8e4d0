-- Queue a change. Also returns its fields as PostgreSQL orders them, how many changes wait before
-- it on its ref, and whether another one becomes due before it but not at once: the wake-up for
-- that one then schedules one for this one (`services.schedule_next_wakeup`).
-- Indexes: change_open, change_due_by_rank
INSERT INTO outbox_change (
    ref, verb, fields, base, base_version, cause,
    actor_id, actor_name, actor_pseudonym, retriever_id, rank, due, created_at,
    state, reason, field_errors, attempts, upstream_request_id
)
SELECT new.*, 'queued', '', '{}', 0, ''
FROM jsonb_to_record(%(change)s::jsonb) AS new (
    ref text, verb text, fields jsonb, base jsonb, base_version integer, cause uuid,
    actor_id bigint, actor_name text, actor_pseudonym text, retriever_id text,
    rank smallint, due timestamptz, created_at timestamptz
)
RETURNING
    id,
    fields,
    (
        SELECT count(*) FROM outbox_change older
        WHERE older.ref = outbox_change.ref AND older.state = 'queued'
    ),
    EXISTS (
        SELECT FROM outbox_change other
        WHERE other.state = 'queued' AND other.rank = outbox_change.rank
        AND other.due > outbox_change.created_at + interval '1 second'
        AND other.due <= outbox_change.due
        AND other.claimed_at IS NULL
    )
