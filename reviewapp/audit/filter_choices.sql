-- What the history's filters offer: the first 500 people by name, as [key, name], and each
-- retriever of the history with the last name that it has there.
-- Indexes: event_doing
SELECT
    (
        SELECT coalesce(jsonb_agg(jsonb_build_array(id, username) ORDER BY username), '[]')
        FROM (SELECT id, username FROM accounts_user ORDER BY username LIMIT 500) person
    ),
    (
        SELECT coalesce(jsonb_object_agg(retriever_id, name), '{}')
        FROM (
            SELECT DISTINCT ON (retriever_id)
                retriever_id,
                coalesce(
                    nullif(changes #>> '{name,1}', ''),
                    nullif(changes #>> '{name,0}', ''),
                    retriever_id
                ) AS name
            FROM audit_event
            WHERE action IN ('retriever.created', 'retriever.renamed', 'retriever.deleted')
            ORDER BY retriever_id, at DESC, id DESC
        ) retriever
    )
