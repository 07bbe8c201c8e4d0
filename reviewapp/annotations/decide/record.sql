-- Store a decision: one statement for all the rows that it changes.
--
-- The steps are numbered. Each that writes history reads from the step before it, so that the
-- events come in this order.
-- Indexes: annotations_annotation_pkey
WITH
-- 1. The decision as it is to be stored, without `cleared`.
given AS (
    SELECT *
    FROM jsonb_to_record(%(decision)s::jsonb) AS columns (
        decision_id uuid, annotation_id bigint, reviewer_id bigint, outcome text,
        label text, confidence float8, reasoning text, payload jsonb, own_words boolean,
        base jsonb, base_version integer, result_id bigint, document_digest text,
        retriever_version integer, label_set_id bigint, guidelines_id bigint,
        seconds float8, held_until timestamptz
    )
),
-- 2. The item is taken up again if the person had set it aside, which an undo restores.
taken_up AS (
    DELETE FROM annotations_setaside aside USING given
    WHERE aside.annotation_id = given.annotation_id AND aside.person_id = given.reviewer_id
    RETURNING jsonb_build_object(
        'aside', jsonb_build_object(
            'kind', aside.kind, 'reason', aside.reason, 'created_at', aside.created_at
        )
    ) AS cleared
),
-- 3. The decision; a trigger sets its time.
decided AS (
    INSERT INTO annotations_decision (
        decision_id, annotation_id, reviewer_id, outcome,
        label, confidence, reasoning, payload, own_words,
        base, base_version, result_id, document_digest,
        retriever_version, label_set_id, guidelines_id,
        seconds, held_until, cleared
    )
    SELECT given.*, %(replaced)s::jsonb || coalesce((SELECT cleared FROM taken_up), '{}')
    FROM given
    RETURNING id, annotation_id, reviewer_id, outcome, cleared, created_at
),
-- 4. The annotation gets the values, and the decision as its standing one.
updated AS (
    UPDATE annotations_annotation annotation
    SET
        label = %(label)s,
        confidence = %(confidence)s::float8,
        reasoning = %(reasoning)s,
        payload = %(payload)s::jsonb,
        metadata = %(metadata)s::jsonb,
        status = decided.outcome,
        decision_id = decided.id,
        reviewer_id = decided.reviewer_id,
        decided_at = decided.created_at
    FROM decided
    WHERE annotation.id = decided.annotation_id
    RETURNING annotation.confidence, annotation.payload, annotation.metadata
),
-- 5. Nobody has the item open any more.
released AS (
    DELETE FROM annotations_lease lease USING given
    WHERE lease.annotation_id = given.annotation_id
),
-- 6. The draft that became this decision ends.
ended AS (
    DELETE FROM annotations_draft draft USING given
    WHERE draft.annotation_id = given.annotation_id AND draft.person_id = given.reviewer_id
    AND (draft.decision_id = given.decision_id OR draft.edition = %(draft)s)
)
SELECT decided.id, decided.created_at, decided.cleared, updated.*
FROM decided, updated
