-- The size of tables that were never vacuumed or analyzed, whose relpages is 0 whatever they hold.
SELECT c.oid, pg_relation_size(c.oid::regclass) AS bytes
  FROM unnest(%(oids)s::oid[]) AS c(oid)
