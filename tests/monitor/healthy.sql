-- Near misses: each looks like a fault to a diagnostic that does not look closely.
CREATE EXTENSION pg_stat_statements;
CREATE EXTENSION pgstattuple;
CREATE TABLE item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text UNIQUE, v jsonb, made timestamptz, flag boolean) WITH (fillfactor = 60);
INSERT INTO item (code, v, made, flag) SELECT 'c' || g, '{}', now(), g % 100 = 0 FROM generate_series(1, 20000) AS g;
-- Rare values: a partial index is what is meant.
CREATE INDEX item_flag ON item (id) WHERE flag;
CREATE TABLE line (id int PRIMARY KEY, item bigint REFERENCES item (id), note text, qty int CHECK (qty > 0));
-- Supports the foreign key; nothing reads it yet.
CREATE INDEX line_item ON line (item, qty);
INSERT INTO line SELECT g, g, NULL, 1 FROM generate_series(1, 20000) AS g;
-- Not the same: another order of columns, another operator class, a predicate, descending in one of two.
CREATE INDEX item_code_pattern ON item (code text_pattern_ops) WHERE flag;
CREATE TABLE tiny (id int PRIMARY KEY, v text);
INSERT INTO tiny SELECT g, 'v' FROM generate_series(1, 20) AS g;
CREATE TABLE tiny_child (id int PRIMARY KEY, tiny int REFERENCES tiny (id), flag boolean);
CREATE INDEX tiny_child_flag ON tiny_child (flag);
INSERT INTO tiny_child SELECT g, 1, true FROM generate_series(1, 20) AS g;
CREATE TABLE secured (id int PRIMARY KEY);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON secured USING (true);
CREATE FUNCTION careful() RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN 1; END';
CREATE TABLE part (id int PRIMARY KEY, day int) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (1) TO (100);
CREATE INDEX ON part (day);
CREATE SEQUENCE circle MAXVALUE 10 CYCLE;
SELECT setval('circle', 9);
UPDATE item SET made = made + interval '1 day' WHERE id <= 6000;
SELECT pg_stat_force_next_flush();
ANALYZE;
SELECT pg_stat_reset();
SELECT pg_stat_statements_reset();
