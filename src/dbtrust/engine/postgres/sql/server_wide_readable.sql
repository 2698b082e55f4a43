-- May we read what the configuration file says, and passwords? (boolean, boolean)
SELECT pg_catalog.has_table_privilege('pg_catalog.pg_file_settings', 'SELECT')
       AND pg_catalog.has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE'),
       pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT')
