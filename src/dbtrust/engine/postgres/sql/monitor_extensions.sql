-- Extensions and the version that is installed on the server's disk.
SELECT e.extname AS name, e.extversion AS version, a.default_version
  FROM pg_extension e
  LEFT JOIN pg_available_extensions a ON a.name = e.extname
 ORDER BY e.extname
