-- Empties the schema public inside the transaction of a restore: object by object and not the schema itself, which may
-- belong to somebody else (before PostgreSQL 15 it does). What belongs to an extension is left alone.
SET LOCAL lock_timeout = '20s';
DO $empty$
DECLARE
  statement text;
  ours oid := 'public'::regnamespace;
BEGIN
  LOOP
    SELECT format('DROP %s public.%I CASCADE', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                  WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, relname)
      INTO statement
      FROM pg_class
      WHERE relnamespace = ours AND relkind IN ('r', 'p', 'v', 'm', 'S')
        AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
      ORDER BY relkind = 'S', relname LIMIT 1;
    EXIT WHEN statement IS NULL;
    EXECUTE statement;
  END LOOP;
  LOOP
    SELECT format('DROP %s %s CASCADE', CASE prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE'
                  ELSE 'FUNCTION' END, oid::regprocedure)
      INTO statement
      FROM pg_proc
      WHERE pronamespace = ours
        AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
      LIMIT 1;
    EXIT WHEN statement IS NULL;
    EXECUTE statement;
  END LOOP;
  LOOP
    SELECT format('DROP TYPE %s CASCADE', oid::regtype)
      INTO statement
      FROM pg_type
      WHERE typnamespace = ours AND typtype IN ('e', 'c', 'd')
        AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_type.oid AND deptype = 'e')
        AND NOT EXISTS (SELECT 1 FROM pg_class WHERE reltype = pg_type.oid AND relkind <> 'c')
      LIMIT 1;
    EXIT WHEN statement IS NULL;
    EXECUTE statement;
  END LOOP;
END $empty$;
