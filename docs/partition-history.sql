-- Cut the history into partitions by month. Run once by the owner of the tables, with psql, while nobody works:
--
--     psql --set ON_ERROR_STOP=1 --single-transaction --file docs/partition-history.sql "$DATABASE_URL"
--
-- Where the app has a database user of its own, run docs/database-roles.sql (or `manage.py migrate`) in the same pause:
-- the new table is one that it has no right to yet.
--
-- The table as it is becomes the first partition, with its indexes: no row is copied and no index is built again. Its
-- rows are read once, to prove that none is later than the first of next month; announce a pause of a few minutes for
-- every 100,000,000 events. Afterwards `manage.py pgtrigger install` is not needed, and migrations go on as before.
-- To make the next partitions, the owner calls add_history_partitions() once a month; what finds no partition goes to
-- audit_event_rest, because a history that cannot be written would stop all work.

ALTER TABLE audit_event RENAME TO audit_event_first;
CREATE TABLE audit_event (LIKE audit_event_first INCLUDING DEFAULTS INCLUDING GENERATED) PARTITION BY RANGE (at);

DO $$
DECLARE
    line record;
    last bigint;
    upper timestamptz := date_trunc('month', now() + interval '1 month');
BEGIN
    -- The parent takes over the numbering ...
    SELECT coalesce(max(id), 0) INTO last FROM audit_event_first;
    ALTER TABLE audit_event_first ALTER COLUMN id DROP IDENTITY IF EXISTS;
    CREATE SEQUENCE audit_event_numbers OWNED BY audit_event.id;
    ALTER TABLE audit_event ALTER COLUMN id SET DEFAULT nextval('audit_event_numbers');
    PERFORM setval('audit_event_numbers', last + 1, false);

    -- ... the triggers that keep the history ...
    FOR line IN
        SELECT tgname AS name, pg_get_triggerdef(oid) AS definition
        FROM pg_trigger WHERE tgrelid = 'audit_event_first'::regclass AND NOT tgisinternal
    LOOP
        -- A row trigger of the parent guards its partitions as well; a trigger on TRUNCATE guards its own table only.
        IF line.definition LIKE '%FOR EACH ROW%' THEN
            EXECUTE format('DROP TRIGGER %I ON audit_event_first', line.name);
        END IF;
        EXECUTE replace(line.definition, ' ON public.audit_event_first ', ' ON audit_event ');
    END LOOP;

    -- ... and the indexes; attaching finds those of the first partition ready. The key of a partitioned table would have
    -- to hold `at`, so uniqueness of `id` rests on the numbering.
    FOR line IN
        SELECT indexname AS name, indexdef AS definition
        FROM pg_indexes JOIN pg_index ON indexrelid = format('%I.%I', schemaname, indexname)::regclass
        WHERE tablename = 'audit_event_first' AND NOT indisprimary
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', line.name, line.name || '_first');
        EXECUTE replace(line.definition, ' ON public.audit_event_first ', ' ON audit_event ');
    END LOOP;
    CREATE INDEX event_id ON audit_event (id);

    EXECUTE format('ALTER TABLE audit_event ATTACH PARTITION audit_event_first FOR VALUES FROM (MINVALUE) TO (%L)', upper);
END
$$;

CREATE FUNCTION guard_history_partition(partition text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE (
        SELECT replace(pg_get_triggerdef(oid), ' ON public.audit_event ', format(' ON public.%I ', partition))
        FROM pg_trigger
        WHERE tgrelid = 'public.audit_event'::regclass AND tgname LIKE 'pgtrigger_never_truncated_%'
    );
END
$$;

CREATE FUNCTION add_history_partitions(ahead int DEFAULT 3) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    lower timestamptz;
    name text;
BEGIN
    FOR step IN 1..ahead LOOP
        lower := date_trunc('month', now() + step * interval '1 month');
        name := 'audit_event_' || to_char(lower, 'YYYY_MM');
        IF to_regclass('public.' || name) IS NULL THEN
            EXECUTE format('CREATE TABLE public.%I PARTITION OF public.audit_event FOR VALUES FROM (%L) TO (%L)',
                           name, lower, lower + interval '1 month');
            PERFORM public.guard_history_partition(name);
        END IF;
    END LOOP;
END
$$;

-- Both make tables, which is for the owner to do.
REVOKE ALL ON FUNCTION guard_history_partition, add_history_partitions FROM PUBLIC;

CREATE TABLE audit_event_rest PARTITION OF audit_event DEFAULT;
SELECT guard_history_partition('audit_event_rest');
SELECT add_history_partitions();
