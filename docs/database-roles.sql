-- Run the app as a database user that owns nothing, so that neither it nor anybody with its password can lift the
-- triggers that write and guard the history. Run once by the owner of the tables, after the first `manage.py migrate`:
--
--     psql --set ON_ERROR_STOP=1 --single-transaction --file docs/database-roles.sql "$DATABASE_URL"
--
-- Then give the user a password (\password reviewapp_app) and put it into the DATABASE_URL of web processes and
-- workers. `manage.py migrate` and `restore` go on with the owner's DATABASE_URL, which no running process knows.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reviewapp_app') THEN
        CREATE ROLE reviewapp_app LOGIN;
    END IF;
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO reviewapp_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO reviewapp_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO reviewapp_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO reviewapp_app;
-- Tables of later migrations too.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO reviewapp_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO reviewapp_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO reviewapp_app;

REVOKE UPDATE, DELETE ON audit_event FROM reviewapp_app;
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM reviewapp_app;
