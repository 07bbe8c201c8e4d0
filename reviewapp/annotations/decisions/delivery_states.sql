-- Where the delivery of each of these decisions stands, for the history.
-- The columns after the first are the fields in `delivery_states.py`, in the same order.
-- Indexes: annotations_decision_pkey, outbox_change_cause_key
SELECT decision.id, change.verb, change.state, change.without_author, change.version
FROM annotations_decision decision
JOIN outbox_change change ON change.cause = decision.decision_id
WHERE decision.id = ANY(%(keys)s::bigint[])
