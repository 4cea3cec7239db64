#!/bin/sh
# Run once, by the image of PostgreSQL, when its volume is new: a role and a database for each service. A role may connect to
# its own database only.
set -eu
sql() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" "$@"; }

for service in registry matching feedback notify; do
    sql --set service="$service" --set variable="$(echo "$service" | tr '[:lower:]' '[:upper:]')_PASSWORD" <<'SQL'
\getenv password :variable
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service";
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
SQL
done
sql <<'SQL'
REVOKE CONNECT ON DATABASE template1 FROM PUBLIC;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SQL
