-- A page of a person's decisions that somebody else corrected: the keys of the decision and of the
-- one that corrected it. That is the next one on the annotation that was not undone, if it is by
-- another person and says something else.
-- Indexes: decision_last_of, decision_about
SELECT decision.id, correction.id
FROM annotations_decision decision
CROSS JOIN LATERAL (
    SELECT later.id, later.reviewer_id, later.outcome, {later_values}
    FROM annotations_decision later
    WHERE later.annotation_id = decision.annotation_id
    AND later.id > decision.id
    AND NOT EXISTS (SELECT FROM annotations_undo undo WHERE undo.decision_id = later.id)
    ORDER BY later.id
    LIMIT 1
) correction
WHERE decision.reviewer_id = %(person)s
AND decision.id {is_after} %(id)s
AND correction.reviewer_id <> decision.reviewer_id
AND (correction.outcome, {correction_values})
    IS DISTINCT FROM (decision.outcome, {decision_values})
AND NOT EXISTS (SELECT FROM annotations_undo undo WHERE undo.decision_id = decision.id)
ORDER BY decision.id {direction}
LIMIT %(limit)s
