-- On the table t of the test. Each line above a case names it and the indexes that are redundant.

-- same | i2
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (a);

-- same, three times | i2 i3
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (a);
CREATE INDEX i3 ON t (a);

-- prefix | i1
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (a, b);

-- prefix of a prefix | i1 i2
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (a, b);
CREATE INDEX i3 ON t (a, b, d);

-- the primary key's | i1
CREATE INDEX i1 ON t (id);

-- a unique one of the primary key's | i1
CREATE UNIQUE INDEX i1 ON t (id);

-- a unique constraint's | i1
ALTER TABLE t ADD UNIQUE (a);
CREATE INDEX i1 ON t (a);

-- prefix of a unique constraint | i1
ALTER TABLE t ADD UNIQUE (a, b);
CREATE INDEX i1 ON t (a);

-- unique beside a constraint | i1
ALTER TABLE t ADD UNIQUE (a);
CREATE UNIQUE INDEX i1 ON t (a);

-- backwards | i2
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (a DESC);

-- backwards in two | i2
CREATE INDEX i1 ON t (a, b DESC);
CREATE INDEX i2 ON t (a DESC, b);

-- backwards prefix | i1
CREATE INDEX i1 ON t (a DESC);
CREATE INDEX i2 ON t (a, b);

-- expression | i1
CREATE INDEX i1 ON t (lower(c));
CREATE INDEX i2 ON t (lower(c), a);

-- same predicate | i1
CREATE INDEX i1 ON t (a) WHERE b > 0;
CREATE INDEX i2 ON t (a, d) WHERE (b > 0);

-- include subset | i1
CREATE INDEX i1 ON t (a) INCLUDE (b);
CREATE INDEX i2 ON t (a) INCLUDE (b, d);

-- include held by keys | i1
CREATE INDEX i1 ON t (a) INCLUDE (b);
CREATE INDEX i2 ON t (a, b);

-- gin | i2
CREATE INDEX i1 ON t USING gin (j);
CREATE INDEX i2 ON t USING gin (j);

-- hash | i2
CREATE INDEX i1 ON t USING hash (a);
CREATE INDEX i2 ON t USING hash (a);

-- gist | i2
CREATE INDEX i1 ON t USING gist (r);
CREATE INDEX i2 ON t USING gist (r);

-- fillfactor | i2
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (a) WITH (fillfactor = 50);

-- stricter about NULL | i1
CREATE UNIQUE INDEX i1 ON t (a);
CREATE UNIQUE INDEX i2 ON t (a) NULLS NOT DISTINCT;

-- a plain one beside a unique one | i1
CREATE INDEX i1 ON t (a);
CREATE UNIQUE INDEX i2 ON t (a);

-- an invalid one | i1
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (a);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i1'::regclass;

-- beside the clustered one | i1
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (a);
CLUSTER t USING i2;

-- of a partitioned table | i1
CREATE TABLE p (k int, v int) PARTITION BY RANGE (k);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
CREATE INDEX i1 ON p (k);
CREATE INDEX i2 ON p (k, v);

-- own of a partition | i1
CREATE TABLE p (k int, v int) PARTITION BY RANGE (k);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
CREATE INDEX i1 ON p1 (k);
CREATE INDEX i2 ON p (k, v);

-- other schema | s.i2
CREATE SCHEMA s;
CREATE TABLE s."T" (a int);
CREATE INDEX "I 1" ON s."T" (a);
CREATE INDEX i2 ON s."T" (a);

-- of a materialized view | i1
CREATE MATERIALIZED VIEW m AS SELECT a, b FROM t;
CREATE INDEX i1 ON m (a);
CREATE INDEX i2 ON m (a, b);
