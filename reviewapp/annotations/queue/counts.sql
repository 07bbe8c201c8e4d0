-- How many items each chip of the queue has, and how many the person has skipped, up to {cap}:
-- PostgreSQL stops reading there.
-- No item is both waiting and decided. If the two reach the cap together, so do all items, and
-- these need not be counted: the sub-select is then never run.
WITH chip AS MATERIALIZED (
    SELECT
        (SELECT count(*) FROM (
            SELECT FROM annotations_annotation WHERE {waiting} LIMIT {cap}) capped) AS waiting,
        (SELECT count(*) FROM (
            SELECT FROM annotations_annotation WHERE {mine} LIMIT {cap}) capped) AS mine,
        (SELECT count(*) FROM (
            SELECT FROM annotations_annotation WHERE {deferred} LIMIT {cap}) capped) AS deferred,
        (SELECT count(*) FROM (
            SELECT FROM annotations_annotation WHERE {drafts} LIMIT {cap}) capped) AS drafts,
        (SELECT count(*) FROM (
            SELECT FROM annotations_annotation WHERE {decided} LIMIT {cap}) capped) AS decided,
        (SELECT count(*) FROM (
            SELECT FROM annotations_annotation WHERE {conflict} LIMIT {cap}) capped) AS conflict,
        (SELECT count(*) FROM (
            SELECT FROM annotations_annotation WHERE {undelivered} LIMIT {cap}) capped)
            AS undelivered,
        (SELECT count(*) FROM (
            SELECT FROM annotations_annotation WHERE {skipped} LIMIT {cap}) capped) AS skipped
)
SELECT waiting, mine, deferred, drafts, decided, conflict, undelivered,
    CASE
        WHEN waiting + decided >= {cap} THEN {cap}
        ELSE (SELECT count(*) FROM (
            SELECT FROM annotations_annotation WHERE {all} LIMIT {cap}) capped)
    END,
    skipped
FROM chip
