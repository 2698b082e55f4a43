-- On the table t of the test. No index of these cases is redundant.

-- other column
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (b);

-- other table
CREATE TABLE u (a int);
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON u (a);

-- other order of columns
CREATE INDEX i1 ON t (a, b);
CREATE INDEX i2 ON t (b, a);

-- not a prefix
CREATE INDEX i1 ON t (b);
CREATE INDEX i2 ON t (a, b);

-- half reversed
CREATE INDEX i1 ON t (a, b);
CREATE INDEX i2 ON t (a, b DESC);

-- nulls elsewhere
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (a NULLS FIRST);

-- descending nulls last
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (a DESC NULLS LAST);

-- other method
CREATE INDEX i1 ON t USING hash (a);
CREATE INDEX i2 ON t (a);

-- brin
CREATE INDEX i1 ON t USING brin (a);
CREATE INDEX i2 ON t (a);

-- brin of another grain
CREATE INDEX i1 ON t USING brin (a);
CREATE INDEX i2 ON t USING brin (a) WITH (pages_per_range = 4);

-- other opclass
CREATE INDEX i1 ON t (c);
CREATE INDEX i2 ON t (c text_pattern_ops);

-- other gin opclass
CREATE INDEX i1 ON t USING gin (j);
CREATE INDEX i2 ON t USING gin (j jsonb_path_ops);

-- opclass options
CREATE EXTENSION pg_trgm;
CREATE INDEX i1 ON t USING gist (c gist_trgm_ops);
CREATE INDEX i2 ON t USING gist (c gist_trgm_ops (siglen = 64));

-- other collation
CREATE INDEX i1 ON t (c);
CREATE INDEX i2 ON t (c COLLATE "C");

-- partial
CREATE INDEX i1 ON t (a) WHERE b > 0;
CREATE INDEX i2 ON t (a);

-- other predicate
CREATE INDEX i1 ON t (a) WHERE b > 0;
CREATE INDEX i2 ON t (a) WHERE b > 1;

-- includes more
CREATE INDEX i1 ON t (a) INCLUDE (d);
CREATE INDEX i2 ON t (a, b);

-- includes what the primary key lacks
CREATE INDEX i1 ON t (id) INCLUDE (a);

-- prefix of include
CREATE INDEX i1 ON t (a, b);
CREATE INDEX i2 ON t (a) INCLUDE (b, d);

-- unique prefix
CREATE UNIQUE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (a, b);

-- unique prefix of unique
CREATE UNIQUE INDEX i1 ON t (a);
CREATE UNIQUE INDEX i2 ON t (a, b);

-- unique of included
CREATE UNIQUE INDEX i1 ON t (a, b);
CREATE UNIQUE INDEX i2 ON t (a) INCLUDE (b);

-- two constraints
ALTER TABLE t ADD UNIQUE (a), ADD UNIQUE (a, b);

-- stands for a unique constraint
ALTER TABLE t ADD UNIQUE (a);
CREATE INDEX i1 ON t (a, b);

-- stricter at once
ALTER TABLE t ADD UNIQUE (a) DEFERRABLE;
CREATE UNIQUE INDEX i1 ON t (a);

-- unique with NULLs equal
ALTER TABLE t ADD UNIQUE (a);
CREATE UNIQUE INDEX i1 ON t (a) NULLS NOT DISTINCT;

-- replica identity
CREATE UNIQUE INDEX i1 ON t (b);
ALTER TABLE t REPLICA IDENTITY USING INDEX i1;
CREATE UNIQUE INDEX i2 ON t (b, a);

-- clustered
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (a, b);
CLUSTER t USING i1;

-- referenced
CREATE UNIQUE INDEX i1 ON t (a);
CREATE TABLE u (a int PRIMARY KEY REFERENCES t (a));
CREATE INDEX i2 ON t (a, b);

-- invalid keeper
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (a, b);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i2'::regclass;

-- exclusion
ALTER TABLE t ADD EXCLUDE USING gist (r WITH &&), ADD EXCLUDE USING gist (r WITH &&);

-- gin prefix
CREATE EXTENSION btree_gin;
CREATE INDEX i1 ON t USING gin (a);
CREATE INDEX i2 ON t USING gin (a, b);

-- other expression
CREATE INDEX i1 ON t (lower(c));
CREATE INDEX i2 ON t (upper(c));

-- partition child
CREATE TABLE p (k int, v int) PARTITION BY RANGE (k);
CREATE INDEX i1 ON p (k);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
CREATE INDEX i2 ON p1 (k, v);
