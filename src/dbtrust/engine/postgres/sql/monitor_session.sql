-- Before every question: only the server's own names count, and the extensions' where they are installed.
SELECT set_config('application_name', 'dbtrust', true),
       set_config('statement_timeout', %(timeout)s, true),
       set_config('lock_timeout', least(%(timeout)s::int, 2000)::text, true),
       set_config('timezone', 'UTC', true),
       set_config('search_path', concat_ws(', ', 'pg_catalog', (
         SELECT string_agg(DISTINCT quote_ident(n.nspname), ', ')
           FROM pg_catalog.pg_extension e
           JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
          WHERE e.extname IN ('pg_stat_statements', 'pgstattuple') AND n.nspname <> 'pg_catalog')), true)
