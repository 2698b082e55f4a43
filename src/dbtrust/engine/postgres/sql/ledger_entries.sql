-- Everything that the ledger holds, the row about itself (number -1) first.
SELECT number::text, step, state, written, name, origin, checksum, source, who, dbtrust, at, duration_ms, at_least_once, stored::text
  FROM {ledger}
 ORDER BY number, step
