-- The first annotations that the filters of a search leave, in any order, and which of them match.
SELECT annotations_annotation.id, {is_match}
FROM annotations_annotation
WHERE {condition}
LIMIT {limit}
