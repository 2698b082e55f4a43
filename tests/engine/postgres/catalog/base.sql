CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN email AS text CHECK (VALUE ~ '@');
CREATE TYPE pair AS (x int, y numeric(10,2));
CREATE TYPE span AS RANGE (subtype = float8);
CREATE SEQUENCE counter;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'select 1';
CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int, initcond = '0');
CREATE PROCEDURE go() LANGUAGE sql AS 'select 1';
CREATE TABLE parent (id int PRIMARY KEY, name text);
CREATE TABLE t (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  a int NOT NULL DEFAULT 1, b text, n numeric(10,2), tags varchar(10)[], m mood, e email, p pair,
  g int GENERATED ALWAYS AS (a + 1) STORED, s serial, parent int,
  CONSTRAINT fk FOREIGN KEY (parent) REFERENCES parent, CONSTRAINT positive CHECK (a > 0), CONSTRAINT u UNIQUE (a, b));
CREATE INDEX i ON t (b);
CREATE INDEX other ON t (lower(b)) WHERE a > 5;
CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW v AS SELECT id, a FROM t;
CREATE MATERIALIZED VIEW mv AS SELECT a, count(*) FROM t GROUP BY a;
CREATE POLICY pol ON t FOR SELECT USING (a > 1);
CREATE RULE r AS ON DELETE TO parent DO INSTEAD NOTHING;
CREATE STATISTICS st (ndistinct) ON a, b FROM t;
CREATE PUBLICATION pub FOR TABLE t;
CREATE TABLE part (k int, v text) PARTITION BY RANGE (k);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE COLLATION blunt FROM "C";
CREATE TEXT SEARCH CONFIGURATION words (COPY = simple);
CREATE FUNCTION et() RETURNS event_trigger LANGUAGE plpgsql AS 'begin end';
CREATE EVENT TRIGGER ev ON ddl_command_end EXECUTE FUNCTION et();
CREATE FOREIGN DATA WRAPPER far;
CREATE SERVER there FOREIGN DATA WRAPPER far;
CREATE FOREIGN TABLE ft (a int) SERVER there;
CREATE TABLE mv_like (a int);
