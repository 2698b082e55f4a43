-- Tables whose rows the open transaction has inserted, updated or deleted; what it has undone counts, too.
SELECT schemaname::text, relname::text FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0
