-- Is a partition attached, and is its detaching half done?
SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass(%(name)s) AND inhparent = to_regclass(%(table)s)
