-- Is there a database, tablespace or subscription of that name? (Not everybody may read pg_subscription.)
SELECT EXISTS (SELECT FROM pg_database WHERE %(of)s = 'database' AND datname = %(name)s)
    OR EXISTS (SELECT FROM pg_tablespace WHERE %(of)s = 'tablespace' AND spcname = %(name)s)
    OR EXISTS (SELECT FROM pg_stat_subscription WHERE %(of)s = 'subscription' AND subname = %(name)s)
