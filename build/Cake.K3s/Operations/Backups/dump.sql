-- pg_dump and the counts see one snapshot (PostgreSQL documentation, 9.28.5), however much is written meanwhile.
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS snapshot \gset
\setenv SNAPSHOT :snapshot
\! pg_dump --format=custom --no-owner --no-privileges --snapshot="$SNAPSHOT" --file=dump
\if :SHELL_ERROR
DO $$ BEGIN RAISE EXCEPTION 'pg_dump failed, see above'; END $$;
\endif
\o rows
\i /scripts/rows.sql
\o
COMMIT;
