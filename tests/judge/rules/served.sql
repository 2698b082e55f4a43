-- Foreign keys that an index serves.

-- plain
CREATE TABLE f (x int REFERENCES parent);
CREATE INDEX ON f (x);

-- prefix
CREATE TABLE f (x int REFERENCES parent, z int);
CREATE INDEX ON f (x DESC, z);

-- primary key
CREATE TABLE f (x int PRIMARY KEY REFERENCES parent);

-- any order
CREATE TABLE f (x int, z int, y text, FOREIGN KEY (x, y) REFERENCES parent (x, y));
CREATE INDEX ON f (y, x, z);

-- partitioned
CREATE TABLE f (x int REFERENCES parent) PARTITION BY RANGE (x);
CREATE INDEX ON f (x);
CREATE TABLE f1 PARTITION OF f FOR VALUES FROM (0) TO (9);

-- hash
CREATE TABLE f (x int REFERENCES parent);
CREATE INDEX ON f USING hash (x);

-- without nulls
CREATE TABLE f (x int REFERENCES parent);
CREATE INDEX ON f (x) WHERE x IS NOT NULL;

-- hash without nulls
CREATE TABLE f (x int REFERENCES parent);
CREATE INDEX ON f USING hash (x) WHERE x IS NOT NULL;

-- a keyword without nulls
CREATE TABLE f ("order" int REFERENCES parent, "Odd" int);
CREATE INDEX ON f ("order") WHERE "order" IS NOT NULL;

-- both without nulls
CREATE TABLE f (x int, y text, FOREIGN KEY (x, y) REFERENCES parent (x, y));
CREATE INDEX ON f (y, x) WHERE x IS NOT NULL AND y IS NOT NULL;
