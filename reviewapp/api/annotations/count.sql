-- How many annotations match, up to {limit}.
SELECT count(*)
FROM (SELECT FROM annotations_annotation annotation WHERE {condition} LIMIT {limit}) counted
