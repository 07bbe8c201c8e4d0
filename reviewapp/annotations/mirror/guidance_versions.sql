-- The guidance that was in force at each of these decisions, for the history.
-- Indexes: annotations_decision_pkey
SELECT
    decision.id, annotation.retriever_id, label_set.version, guidelines.version,
    decision.own_words, annotation.proposed, decision.confidence, decision.reasoning
FROM annotations_decision decision
JOIN annotations_annotation annotation ON annotation.id = decision.annotation_id
LEFT JOIN retrievers_labelset label_set ON label_set.id = decision.label_set_id
LEFT JOIN retrievers_guidelines guidelines ON guidelines.id = decision.guidelines_id
WHERE decision.id = ANY(%(keys)s::bigint[])
