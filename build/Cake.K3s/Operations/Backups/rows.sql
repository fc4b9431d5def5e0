-- The number of rows of each table.
SELECT format('%I.%I', n.nspname, c.relname),
       (xpath('/row/count/text()', query_to_xml(format('SELECT count(*) FROM ONLY %I.%I', n.nspname, c.relname), false, true, '')))[1]
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
ORDER BY 1;
