-- What was written to the catalog since the transaction id `base` (NULL: everything). For each catalog of the server: how
-- many rows are older, the sum of their keys, and of each newer row [key, kind of owner, owner, second owner]; `keys` are
-- the keys of all rows of the catalogs that are named in `wanted`. A row that is gone, or that was written again, is
-- missing among the older ones. Kinds of owners: 0 relation or index, 1 sequence, 2 type, 3 routine, 4 constraint,
-- 5 trigger, 6 rule, 7 policy, 8 statistics object, 9 none of these.
-- A key of several columns is a number made of them: OIDs have 32 bits, attribute numbers 11.
WITH since AS MATERIALIZED (SELECT coalesce(age(%(base)s::text::xid), 2147483647) AS age),
rows (catalog, age, key, kind, owner, other) AS (
  SELECT 'class', age(xmin), oid::int8, CASE relkind WHEN 'S' THEN 1 WHEN 'c' THEN 2 ELSE 0 END,
         CASE relkind WHEN 'c' THEN reltype ELSE oid END::int8, 0::int8
    FROM pg_class WHERE oid >= 16384 AND relkind <> 't'
  UNION ALL
  SELECT 'attribute', age(xmin), attrelid::int8 * 2048 + attnum, 0, attrelid::int8, 0
    FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0
  UNION ALL
  SELECT 'attrdef', age(xmin), oid::int8, 0, adrelid::int8, 0 FROM pg_attrdef
  UNION ALL
  SELECT 'constraint', age(xmin), oid::int8, CASE WHEN contypid <> 0 THEN 2 ELSE 0 END,
         CASE WHEN contypid <> 0 THEN contypid ELSE conrelid END::int8, confrelid::int8
    FROM pg_constraint WHERE oid >= 16384
  UNION ALL
  SELECT 'index', age(xmin), indexrelid::int8, 0, indrelid::int8, 0 FROM pg_index WHERE indexrelid >= 16384
  UNION ALL
  SELECT 'trigger', age(xmin), oid::int8, 0, tgrelid::int8, tgconstrrelid::int8 FROM pg_trigger
  UNION ALL
  SELECT 'rewrite', age(xmin), oid::int8, 0, ev_class::int8, 0 FROM pg_rewrite WHERE oid >= 16384
  UNION ALL
  SELECT 'policy', age(xmin), oid::int8, 0, polrelid::int8, 0 FROM pg_policy
  UNION ALL
  SELECT 'statistics', age(xmin), oid::int8, 0, stxrelid::int8, 0 FROM pg_statistic_ext
  UNION ALL
  SELECT 'inherits', age(xmin), inhrelid::int8 * 2147483648 + inhparent::int8, 0, inhrelid::int8, inhparent::int8 FROM pg_inherits
  UNION ALL
  SELECT 'partitioned', age(xmin), partrelid::int8, 0, partrelid::int8, 0 FROM pg_partitioned_table
  UNION ALL
  SELECT 'foreign table', age(xmin), ftrelid::int8, 0, ftrelid::int8, 0 FROM pg_foreign_table
  UNION ALL
  SELECT 'sequence', age(xmin), seqrelid::int8, 1, seqrelid::int8, 0 FROM pg_sequence
  UNION ALL
  SELECT 'owned', age(xmin), objid::int8 * 2147483648 + refobjid::int8 * 2 + (refobjsubid %% 2), 0, objid::int8, refobjid::int8
    FROM pg_depend
   WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND refobjsubid > 0 AND deptype IN ('a', 'i')
     AND objid IN (SELECT seqrelid FROM pg_sequence)
  UNION ALL
  SELECT 'routine', age(xmin), oid::int8, 3, oid::int8, 0 FROM pg_proc WHERE oid >= 16384
  UNION ALL
  SELECT 'type', age(xmin), oid::int8, 2, oid::int8, 0 FROM pg_type WHERE oid >= 16384
  UNION ALL
  SELECT 'enum', age(xmin), oid::int8, 2, enumtypid::int8, 0 FROM pg_enum
  UNION ALL
  SELECT 'comment', age(xmin), objoid::int8 * 33554432 + (classoid::int8 %% 16384) * 2048 + objsubid,
         CASE classoid WHEN 'pg_class'::regclass THEN 0 WHEN 'pg_type'::regclass THEN 2 WHEN 'pg_proc'::regclass THEN 3
                       WHEN 'pg_constraint'::regclass THEN 4 WHEN 'pg_trigger'::regclass THEN 5
                       WHEN 'pg_rewrite'::regclass THEN 6 WHEN 'pg_policy'::regclass THEN 7
                       WHEN 'pg_statistic_ext'::regclass THEN 8 ELSE 9 END,
         objoid::int8, 0
    FROM pg_description WHERE objoid >= 16384 OR classoid IN ('pg_namespace'::regclass, 'pg_language'::regclass)
  UNION ALL
  -- Written seldom; whatever is written here may change how anything is told.
  SELECT 'other', age, key, 9, 0, 0 FROM (
    SELECT age(xmin), oid::int8 + (1::int8 << 42) FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast)'
    UNION ALL SELECT age(xmin), oid::int8 + (2::int8 << 42) FROM pg_extension
    UNION ALL SELECT age(xmin), objid::int8 + (3::int8 << 42) FROM pg_depend WHERE deptype = 'e'
    UNION ALL SELECT age(xmin), oid::int8 + (4::int8 << 42) FROM pg_language
    UNION ALL SELECT age(xmin), oid::int8 + (5::int8 << 42) FROM pg_default_acl
    UNION ALL SELECT age(xmin), rngtypid::int8 + (6::int8 << 42) FROM pg_range WHERE rngtypid >= 16384
    UNION ALL SELECT age(xmin), oid::int8 + (7::int8 << 42) FROM pg_collation WHERE oid >= 16384
    UNION ALL SELECT age(xmin), oid::int8 + (8::int8 << 42) FROM pg_operator WHERE oid >= 16384
    UNION ALL SELECT age(xmin), oid::int8 + (9::int8 << 42) FROM pg_opclass WHERE oid >= 16384
    UNION ALL SELECT age(xmin), oid::int8 + (10::int8 << 42) FROM pg_amop WHERE oid >= 16384
    UNION ALL SELECT age(xmin), oid::int8 + (11::int8 << 42) FROM pg_amproc WHERE oid >= 16384
    UNION ALL SELECT age(xmin), oid::int8 + (12::int8 << 42) FROM pg_cast WHERE oid >= 16384
    UNION ALL SELECT age(xmin), oid::int8 + (13::int8 << 42) FROM pg_ts_config WHERE oid >= 16384
    UNION ALL SELECT age(xmin), mapcfg::int8 * 2048 + maptokentype * 32 + mapseqno + (14::int8 << 42) FROM pg_ts_config_map WHERE mapcfg >= 16384
    UNION ALL SELECT age(xmin), oid::int8 + (15::int8 << 42) FROM pg_ts_dict WHERE oid >= 16384
    UNION ALL SELECT age(xmin), oid::int8 + (16::int8 << 42) FROM pg_foreign_data_wrapper
    UNION ALL SELECT age(xmin), oid::int8 + (17::int8 << 42) FROM pg_foreign_server
    UNION ALL SELECT age(xmin), oid::int8 + (18::int8 << 42) FROM pg_event_trigger
    UNION ALL SELECT age(xmin), oid::int8 + (19::int8 << 42) FROM pg_publication
    UNION ALL SELECT age(xmin), oid::int8 + (20::int8 << 42) FROM pg_publication_rel
    UNION ALL SELECT age(xmin), oid::int8 + (21::int8 << 42) FROM pg_publication_namespace
    UNION ALL SELECT age(xmin), oid::int8 + (22::int8 << 42) FROM pg_tablespace
    UNION ALL SELECT age(xmin), oid::int8 + (23::int8 << 42) FROM pg_database WHERE datname = current_database()
    -- Their rows may not be read by everyone, so what is told of them counts as their key.
    UNION ALL SELECT 2147483647, hashtextextended(concat_ws(' ', oid, rolname), 0) / 65536 FROM pg_roles
    UNION ALL SELECT 2147483647, hashtextextended(concat_ws(' ', umid, srvname, umuser, usename), 0) / 65536 FROM pg_user_mappings
    UNION ALL SELECT 2147483647, hashtextextended(concat_ws(' ', oid, subname, subenabled, subpublications::text, subslotname), 0) / 65536
                FROM pg_subscription
  ) o (age, key)
)
SELECT catalog,
       count(*) FILTER (WHERE r.age > since.age) AS older,
       coalesce(sum(key) FILTER (WHERE r.age > since.age), 0)::text AS total,
       coalesce(json_agg(json_build_array(key, kind, owner, other)) FILTER (WHERE r.age <= since.age), '[]') AS newer,
       CASE WHEN catalog = ANY(%(wanted)s::text[]) THEN json_agg(key) END AS keys
  FROM rows r, since
 GROUP BY catalog
