-- Transactions that were prepared and wait to be committed.
SELECT gid, owner AS role, database, prepared,
       (extract(epoch FROM clock_timestamp() - prepared) * 1000)::float8 AS age_ms, age(transaction) AS xid_age
  FROM pg_prepared_xacts
 ORDER BY prepared
