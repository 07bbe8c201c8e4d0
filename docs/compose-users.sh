#!/bin/sh
# The two database users of compose.yaml. PostgreSQL's image runs this at its first start, when the data folder is empty.
#
#   reviewapp      owns the database and its tables; only `migrate`, backups and restores sign in as this one
#   reviewapp_app  as whom web and worker run; `migrate` gives it its rights (docs/database-roles.sql)
#
# Neither is a superuser. To run it again, such as for new passwords:
#
#   docker compose exec db sh /docker-entrypoint-initdb.d/users.sh
#
# A volume of before there were two users has no superuser but reviewapp: add `-e POSTGRES_USER=reviewapp` after `exec`.
set -eu

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --single-transaction --file - \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', name) FROM unnest(ARRAY['reviewapp', 'reviewapp_app']) AS name
WHERE name NOT IN (SELECT rolname FROM pg_roles) \gexec
ALTER ROLE reviewapp PASSWORD :'owner_password';
ALTER ROLE reviewapp_app PASSWORD :'app_password';

ALTER DATABASE :"DBNAME" OWNER TO reviewapp;
REVOKE CREATE, TEMPORARY ON DATABASE :"DBNAME" FROM PUBLIC;

-- What docs/database-roles.sql takes away only where a superuser runs it: large objects.
SELECT format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', oid::regprocedure) FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace
    AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_put', 'lowrite') \gexec
SQL
