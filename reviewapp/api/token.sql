-- The token of each request to the API, if it is usable.
-- Indexes: api_apitoken_digest_42d9074b_like
SELECT
    id, owner_id, name, prefix, digest, scope, created_at, expires_at, last_used_at, revoked_at
FROM api_apitoken
WHERE digest = %(digest)s AND revoked_at IS NULL AND expires_at > %(now)s
