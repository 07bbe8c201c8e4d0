-- One annotation with what its form and its page read of its neighbours, and a person's draft of
-- it. Left out are columns that only searches and lists read, and large ones of the retriever.
-- Indexes: annotations_annotation_pkey, change_about
SELECT
    (
        SELECT to_jsonb(shown) FROM (
            SELECT
                a.id, a.ref, a.annotation_id, a.document_id, a.collection_id, a.retriever_id,
                a.execution_id, a.stage_name, a.label, a.confidence, a.reasoning, a.payload,
                a.version, a.upstream, a.uncleared, a.revisions, a.proposed, a.actor_id,
                a.actor_type, a.created_at, a.updated_at, a.seen_at, a.result_id, a.score, a.title,
                a.status, a.decision_id, a.reviewer_id, a.decided_at, a.sureness, a.relevance,
                a.settled_at
        ) AS shown
    ),
    to_jsonb(retriever)
        - '{tags, stages, collection_ids, budget_limits, upstream}'::text[],
    to_jsonb(label_set),
    to_jsonb(guidelines),
    CASE WHEN reviewer.id IS NOT NULL
        THEN jsonb_build_object('id', reviewer.id, 'username', reviewer.username)
    END,
    to_jsonb(result),
    to_jsonb(decision),
    (
        SELECT jsonb_agg(to_jsonb(change) ORDER BY change.id DESC)
        FROM outbox_change AS change
        WHERE change.ref = a.ref
    ),
    (
        SELECT to_jsonb(draft)
        FROM annotations_draft AS draft
        WHERE draft.annotation_id = a.id AND draft.person_id = %(person)s::bigint
    )
FROM annotations_annotation AS a
LEFT JOIN retrievers_retriever AS retriever ON retriever.id = a.retriever_id
LEFT JOIN retrievers_labelset AS label_set ON label_set.id = retriever.label_set_id
LEFT JOIN retrievers_guidelines AS guidelines ON guidelines.id = retriever.guidelines_id
LEFT JOIN accounts_user AS reviewer ON reviewer.id = a.reviewer_id
LEFT JOIN retrievers_result AS result ON result.id = a.result_id
LEFT JOIN annotations_decision AS decision ON decision.id = a.decision_id
WHERE a.id = %(annotation)s
