-- What ALTER SYSTEM has written, in the columns of server_wide.sql. Needs the right to read pg_file_settings.
SELECT 'configuration', name, name, setting,
       -- A list is kept as SQL that can be read again; any other value is one literal.
       'ALTER SYSTEM SET ' || name || ' TO '
       || CASE WHEN name IN ('local_preload_libraries', 'search_path', 'session_preload_libraries', 'shared_preload_libraries',
                             'temp_tablespaces', 'unix_socket_directories') AND setting <> ''
               THEN setting ELSE pg_catalog.quote_literal(setting) END,
       'ALTER SYSTEM RESET ' || name, '{}'::text[]
  FROM pg_catalog.pg_file_settings
 WHERE sourcefile ~ 'postgresql\.auto\.conf$' AND setting IS NOT NULL
