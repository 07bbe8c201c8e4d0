-- Settle changes that are still queued; a value that is not known stays as it is.
-- Indexes: outbox_change_pkey
UPDATE outbox_change change
SET
    settled_at = %(now)s,
    state = settled.state,
    reason = coalesce(settled.reason, ''),
    field_errors = coalesce(settled.field_errors, change.field_errors),
    theirs = coalesce(settled.theirs, change.theirs),
    merged = coalesce(settled.merged, change.merged),
    raced = coalesce(settled.raced, change.raced),
    version = coalesce(settled.version, change.version),
    uncleared = coalesce(settled.uncleared, change.uncleared),
    without_author = coalesce(settled.without_author, change.without_author),
    upstream_request_id = coalesce(settled.upstream_request_id, change.upstream_request_id)
FROM jsonb_to_recordset(%(settlements)s::jsonb) AS settled (
    id bigint, state text, reason text, field_errors jsonb, theirs jsonb, merged jsonb,
    raced jsonb, uncleared jsonb, without_author boolean, version integer,
    upstream_request_id text
)
WHERE change.id = settled.id AND change.state = 'queued'
RETURNING change.id
