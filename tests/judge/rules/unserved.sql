-- Foreign keys f.fk that no index serves.

-- none
CREATE TABLE f (x int CONSTRAINT fk REFERENCES parent);

-- not leading
CREATE TABLE f (x int CONSTRAINT fk REFERENCES parent, z int);
CREATE INDEX ON f (z, x);

-- partial
CREATE TABLE f (x int CONSTRAINT fk REFERENCES parent);
CREATE INDEX ON f (x) WHERE x > 0;

-- brin
CREATE TABLE f (x int CONSTRAINT fk REFERENCES parent);
CREATE INDEX ON f USING brin (x);

-- partial by another column
CREATE TABLE f (x int CONSTRAINT fk REFERENCES parent, z int);
CREATE INDEX ON f (x) WHERE x IS NOT NULL AND z IS NOT NULL;

-- partial or
CREATE TABLE f (x int CONSTRAINT fk REFERENCES parent, z int);
CREATE INDEX ON f (x) WHERE x IS NULL;

-- hash of one of two
CREATE TABLE f (x int, y text, CONSTRAINT fk FOREIGN KEY (x, y) REFERENCES parent (x, y));
CREATE INDEX ON f USING hash (x);

-- included
CREATE TABLE f (x int CONSTRAINT fk REFERENCES parent, z int);
CREATE INDEX ON f (z) INCLUDE (x);

-- expression
CREATE TABLE f (x int CONSTRAINT fk REFERENCES parent);
CREATE INDEX ON f ((x + 0));

-- invalid
CREATE TABLE f (x int CONSTRAINT fk REFERENCES parent);
CREATE INDEX i ON f (x);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass;

-- one of two
CREATE TABLE f (x int, y text, CONSTRAINT fk FOREIGN KEY (x, y) REFERENCES parent (x, y));
CREATE INDEX ON f (x);

-- gap
CREATE TABLE f (x int, z int, y text, CONSTRAINT fk FOREIGN KEY (x, y) REFERENCES parent (x, y));
CREATE INDEX ON f (x, z, y);

-- collation
CREATE TABLE f (x int, y text, CONSTRAINT fk FOREIGN KEY (x, y) REFERENCES parent (x, y));
CREATE INDEX ON f (x, y COLLATE "C");
