-- Gives a new token, unless somebody else got one since the last look.
UPDATE {ledger}
   SET fence = fence + 1,
       until = clock_timestamp() + make_interval(secs => {lease}),
       stored = stored || jsonb_build_object('holder', {holder}, 'since', to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS TZ'))
 WHERE number = -1 AND step = 0 AND fence = {fence} AND (until IS NULL OR until < clock_timestamp())
RETURNING fence
