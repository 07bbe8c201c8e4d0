-- Lock changes in the order of their keys: an UPDATE alone would lock them in any order.
-- Indexes: outbox_change_pkey
SELECT id
FROM outbox_change
WHERE id = ANY(%(keys)s::bigint[])
ORDER BY id
FOR UPDATE
