-- Two database users: an owner, who owns the tables and migrates, and reviewapp_app, as whom web processes and workers
-- run. Neither the app nor anybody with its password can then write, change or remove an event of the history, lift the
-- triggers that write and guard it, or make anything of their own in the database.
--
-- Run it as the owner of the tables (better: as a superuser), after the first `manage.py migrate`:
--
--     psql --set ON_ERROR_STOP=1 --single-transaction --file docs/database-roles.sql "$DATABASE_URL"
--
-- Then give the user a password (\password reviewapp_app) and put it into the DATABASE_URL of web processes and
-- workers. `manage.py migrate` and `restore` go on with the owner's DATABASE_URL, which no running process knows. From
-- then on every `migrate` runs this script by itself, so that it holds for new tables, and after a restore.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reviewapp_app') THEN
        CREATE ROLE reviewapp_app LOGIN;
    END IF;
END
$$;

-- The database and its schema: to be used, not to be added to.
DO $$
BEGIN
    EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC, reviewapp_app', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO reviewapp_app', current_database());
END
$$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC, reviewapp_app;
GRANT USAGE ON SCHEMA public TO reviewapp_app;
-- An earlier version of this script gave away whatever would be made later.
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM reviewapp_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM reviewapp_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM reviewapp_app;

-- What is there: rows are read and written, except for those that only the triggers or `migrate` write.
DO $$
DECLARE
    item record;
    read_only name[] := ARRAY[
        'audit_event', 'auth_group', 'auth_group_permissions', 'auth_permission', 'django_content_type',
        'django_migrations',
        -- What figures count.
        'annotations_counteddecision',
        -- A provider of single sign-on is a way in for whoever runs it. Ours comes from the settings.
        'socialaccount_socialapp'
    ];
BEGIN
    FOR item IN
        SELECT c.oid, c.relname, c.relkind,
            -- The history, its partitions, and what numbers its rows.
            c.relname = ANY (read_only)
                OR EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid AND inhparent = 'public.audit_event'::regclass)
                OR EXISTS (
                    SELECT FROM pg_depend
                    WHERE objid = c.oid AND refobjid = 'public.audit_event'::regclass AND deptype IN ('a', 'i')
                )
                AS is_read_only
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
            AND pg_has_role(c.relowner, 'USAGE')
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, reviewapp_app', item.oid::regclass);
        EXECUTE format(
            'GRANT %s ON %s TO reviewapp_app',
            CASE
                WHEN item.is_read_only THEN 'SELECT'
                WHEN item.relkind = 'S' THEN 'SELECT, USAGE'
                ELSE 'SELECT, INSERT, UPDATE, DELETE'
            END,
            CASE item.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE '' END || item.oid::regclass
        );
    END LOOP;

    -- A trigger needs nobody's right to call its function, and nobody else has a use for it. Partitions of the history
    -- are for the owner to make.
    FOR item IN
        SELECT p.oid, p.prorettype <> 'trigger'::regtype AND p.proname NOT LIKE '%history_partition%' AS is_for_app
        FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND pg_has_role(p.proowner, 'USAGE')
    LOOP
        EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC, reviewapp_app', item.oid::regprocedure);
        IF item.is_for_app THEN
            EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO reviewapp_app', item.oid::regprocedure);
        END IF;
    END LOOP;
END
$$;
-- Who changes the last admin first locks the row of the group, which takes the right to change some column of it.
GRANT UPDATE (id) ON public.auth_group TO reviewapp_app;

-- Large objects would be something of their own, outside every table. Only a superuser can close that door.
DO $$
DECLARE
    maker regprocedure;
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        FOR maker IN
            SELECT oid FROM pg_proc
            WHERE pronamespace = 'pg_catalog'::regnamespace
                AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_put', 'lowrite')
        LOOP
            EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC, reviewapp_app', maker);
        END LOOP;
    END IF;
END
$$;

-- Nothing of this is of use to a user who has other rights besides.
DO $$
DECLARE
    complaint text;
BEGIN
    SELECT string_agg(reason, '; ') INTO complaint FROM (
        SELECT 'is a superuser, or may bypass row security, make roles or databases, or replicate' AS reason
        FROM pg_roles
        WHERE rolname = 'reviewapp_app'
            AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
        UNION ALL
        SELECT 'is a member of ' || roleid::regrole::text FROM pg_auth_members
        WHERE member = 'reviewapp_app'::regrole
            -- These only look.
            AND roleid::regrole::text NOT IN ('pg_monitor', 'pg_read_all_data', 'pg_read_all_stats')
        UNION ALL
        SELECT 'owns ' || oid::regclass::text FROM pg_class WHERE relowner = 'reviewapp_app'::regrole
        UNION ALL
        SELECT 'owns the function ' || oid::regprocedure::text FROM pg_proc WHERE proowner = 'reviewapp_app'::regrole
        UNION ALL
        SELECT 'owns the schema ' || nspname FROM pg_namespace WHERE nspowner = 'reviewapp_app'::regrole
        UNION ALL
        SELECT 'may make schemas or temporary tables in the database'
        WHERE has_database_privilege('reviewapp_app', current_database(), 'CREATE, TEMPORARY')
        UNION ALL
        SELECT 'may make objects in the schema ' || nspname
        FROM pg_namespace WHERE has_schema_privilege('reviewapp_app', oid, 'CREATE')
        UNION ALL
        SELECT 'may write to audit_event'
        WHERE has_table_privilege('reviewapp_app', 'public.audit_event', 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
    ) complaints;
    -- A migrate goes on, and logs it: the tables are as the new code wants them.
    IF complaint IS NOT NULL AND current_setting('reviewapp.migrating', true) = 'on' THEN
        RAISE WARNING 'The history is not safe from reviewapp_app, who %', complaint;
    ELSIF complaint IS NOT NULL THEN
        RAISE EXCEPTION 'The history is not safe from reviewapp_app, who %', complaint
            USING HINT = 'Run docs/database-roles.sql as the owner of the database, or take away what is named here.';
    END IF;
END
$$;
