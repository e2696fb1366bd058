#!/bin/sh
# Run by the image once, as the superuser, when the data folder is empty. `webhook` owns the ledger; `tools` reads it and changes
# nothing. Passwords come from the container's environment, and psql quotes them.
set -eu
psql -v ON_ERROR_STOP=1 --no-psqlrc --username postgres <<'SQL'
\getenv webhook_password POSTGRES_WEBHOOK_PASSWORD
\getenv tools_password POSTGRES_TOOLS_PASSWORD
CREATE ROLE webhook LOGIN PASSWORD :'webhook_password';
CREATE ROLE tools LOGIN PASSWORD :'tools_password';
CREATE DATABASE tolov OWNER webhook;
REVOKE ALL ON DATABASE tolov FROM PUBLIC;
GRANT CONNECT ON DATABASE tolov TO tools;
\connect tolov
ALTER SCHEMA public OWNER TO webhook;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO tools;
ALTER DEFAULT PRIVILEGES FOR ROLE webhook IN SCHEMA public GRANT SELECT ON TABLES TO tools;
ALTER DEFAULT PRIVILEGES FOR ROLE webhook IN SCHEMA public GRANT SELECT ON SEQUENCES TO tools;
SQL
