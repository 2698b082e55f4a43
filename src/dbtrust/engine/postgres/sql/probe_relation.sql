-- Is there a relation of that name?
SELECT to_regclass(%(name)s) IS NOT NULL
