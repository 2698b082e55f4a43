"""A small schema and statements whose plans have every kind of node, for plans of a real server."""

from __future__ import annotations

import re

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, age int, active boolean, "Odd Name" text);
INSERT INTO users SELECT n, 'user ' || n, n % 90, n % 3 = 0, 'x' FROM generate_series(1, 3000) AS n;
CREATE INDEX users_age ON users (age);
CREATE INDEX users_active ON users (active);
CREATE INDEX "Users Name" ON users (name text_pattern_ops);
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, total numeric, placed date, note text);
INSERT INTO orders SELECT n, 1 + n % 3000, n % 500, DATE '2024-01-01' + n % 365, repeat('n', 50) FROM generate_series(1, 9000) AS n;
CREATE INDEX orders_user ON orders (user_id);
CREATE INDEX orders_placed ON orders (placed);
CREATE TABLE "Odd Table" ("Key" int PRIMARY KEY, "a.b" text);
INSERT INTO "Odd Table" SELECT n, 'v' FROM generate_series(1, 100) AS n;
CREATE TABLE parts (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
INSERT INTO parts SELECT n, DATE '2024-01-01' + n % 360 FROM generate_series(1, 2000) AS n;
CREATE INDEX parts_id ON parts (id);
CREATE VIEW busy AS SELECT user_id, count(*) AS n FROM orders GROUP BY user_id;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER note_it BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION noted();
VACUUM ANALYZE users; VACUUM ANALYZE orders; VACUUM ANALYZE parts; VACUUM ANALYZE "Odd Table";
"""

#: (settings for this statement, statement)
STATEMENTS: tuple[tuple[str, str], ...] = (
    ("", "SELECT 1"),
    ("", "SELECT * FROM users WHERE id = 7"),
    ("", "SELECT id FROM users WHERE id < 20 ORDER BY id DESC"),
    ("", "SELECT * FROM users WHERE age = 30"),
    ("", "SELECT * FROM users WHERE age = 30 AND active OR age = 31"),
    ("", "SELECT * FROM users WHERE age < 20 AND active"),
    ("", "SELECT * FROM users WHERE name LIKE 'user 12%'"),
    ("", "SELECT * FROM users WHERE name = E'it''s\n  ->  Seq Scan on x  (cost=0.00..1.00 rows=1 width=1)'"),
    ("", "SELECT * FROM users u JOIN orders o ON o.user_id = u.id WHERE u.age = 3"),
    ("", "SELECT * FROM users u LEFT JOIN orders o ON o.user_id = u.id AND o.total > 5 WHERE u.id < 50"),
    ("", "SELECT * FROM users u FULL JOIN orders o ON o.user_id = u.id"),
    ("enable_hashjoin=off,enable_nestloop=off", "SELECT * FROM users u JOIN orders o ON o.user_id = u.id"),
    ("enable_hashjoin=off,enable_mergejoin=off,enable_material=off", "SELECT * FROM users u JOIN orders o ON o.user_id = u.id"),
    ("", "SELECT * FROM users u WHERE EXISTS (SELECT FROM orders o WHERE o.user_id = u.id AND o.total > 490)"),
    ("", "SELECT * FROM users u WHERE NOT EXISTS (SELECT FROM orders o WHERE o.user_id = u.id)"),
    ("", "SELECT age, count(*), max(name) FROM users GROUP BY age HAVING count(*) > 3 ORDER BY 2 DESC LIMIT 5"),
    ("enable_hashagg=off", "SELECT age, name, count(*) FROM users GROUP BY age, name"),
    ("", "SELECT age, active, count(*) FROM users GROUP BY GROUPING SETS ((age), (active), ())"),
    ("", "SELECT age, active, count(*) FROM users GROUP BY ROLLUP (age, active)"),
    ("work_mem='64kB'", "SELECT note, id, count(*) FROM orders GROUP BY note, id"),
    ("work_mem='64kB'", "SELECT * FROM orders ORDER BY total, note"),
    ("", "SELECT * FROM users ORDER BY age, name LIMIT 10"),
    ("enable_seqscan=off", "SELECT age, name FROM users ORDER BY age, name"),
    ("", "SELECT DISTINCT active FROM users"),
    ("enable_hashagg=off", "SELECT DISTINCT age FROM users"),
    ("", "SELECT id, rank() OVER (PARTITION BY active ORDER BY age) FROM users"),
    ("", "SELECT * FROM (SELECT id, row_number() OVER (ORDER BY age) AS r FROM users) x WHERE r < 5"),
    ("", "WITH recent AS MATERIALIZED (SELECT * FROM orders WHERE total > 400) SELECT count(*) FROM recent a JOIN recent b USING (id)"),
    ("", "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 20) SELECT sum(n) FROM t"),
    ("", "SELECT id, (SELECT count(*) FROM orders o WHERE o.user_id = u.id) FROM users u WHERE id < 10"),
    ("", "SELECT * FROM users WHERE age > (SELECT avg(age) FROM users)"),
    ("", "SELECT * FROM users WHERE id IN (SELECT user_id FROM orders WHERE total < 3) OR age = 1"),
    ("", "SELECT * FROM users WHERE false"),
    ("", "SELECT * FROM users u JOIN LATERAL (SELECT * FROM orders o WHERE o.user_id = u.id LIMIT 2) x ON true WHERE u.age < 5"),
    ("", "SELECT * FROM orders o, users u WHERE u.id = o.user_id AND o.id < 0 AND u.age IN (SELECT age FROM users)"),
    ("", "SELECT name FROM users INTERSECT SELECT note FROM orders"),
    ("enable_hashagg=off", "SELECT id FROM users EXCEPT ALL SELECT user_id FROM orders"),
    ("", "SELECT id FROM users UNION ALL SELECT id FROM orders"),
    ("", "SELECT * FROM parts WHERE day = DATE '2024-03-01' ORDER BY id"),
    ("", "SELECT * FROM parts WHERE id < 100 ORDER BY id"),
    ("", "SELECT * FROM parts WHERE day < now() - interval '9 years'"),
    ("", "SELECT * FROM generate_series(1, 10) AS g(n), (VALUES (1), (2)) AS v(k) WHERE n = k"),
    ("", "SELECT unnest(ARRAY[1, 2, 3])"),
    ("", "SELECT * FROM ROWS FROM (generate_series(1, 2), generate_series(1, 3)) AS r(a, b)"),
    ("", "SELECT * FROM users TABLESAMPLE bernoulli (10) REPEATABLE (1)"),
    ("", "SELECT * FROM users WHERE ctid = '(0,1)'"),
    ("", "SELECT * FROM users WHERE ctid < '(1,1)'"),
    ("", 'SELECT * FROM "Odd Table" AS "The Alias" WHERE "Key" = 5 AND "a.b" <> \'it\'\'s\''),
    ("", "SELECT * FROM busy b JOIN users u ON u.id = b.user_id WHERE u.age = 9"),
    ("", "SELECT * FROM users FOR UPDATE"),
    ("", "INSERT INTO users VALUES (99001, 'n', 1, true, 'x'), (99002, 'm', 1, true, 'x')"),
    ("", "INSERT INTO users SELECT id, name, 1, true, 'y' FROM users WHERE id < 5 ON CONFLICT (id) DO UPDATE SET age = 2 WHERE users.age > 3"),
    ("", "UPDATE users SET age = age + 1 WHERE id < 5"),
    ("", "UPDATE parts SET id = id + 1 WHERE id < 5"),
    ("", "DELETE FROM orders WHERE user_id = 17 RETURNING id"),
    ("", "DELETE FROM parts USING users WHERE parts.id = users.id AND users.age = 4"),
    ("", "MERGE INTO users u USING orders o ON u.id = o.id AND o.id < 10 WHEN MATCHED THEN UPDATE SET age = 1 WHEN NOT MATCHED AND o.id > 8990 THEN INSERT VALUES (o.id + 90000, 'm', 1, true, '')"),
    ("parallel_setup_cost=0,parallel_tuple_cost=0,min_parallel_table_scan_size=0", "SELECT count(*) FROM orders WHERE total > 100"),
    ("parallel_setup_cost=0,parallel_tuple_cost=0,min_parallel_table_scan_size=0", "SELECT * FROM orders WHERE total > 100 ORDER BY note, total"),
    ("parallel_setup_cost=0,parallel_tuple_cost=0,min_parallel_table_scan_size=0,enable_mergejoin=off", "SELECT u.age, sum(total) FROM orders o JOIN users u ON u.id = o.user_id GROUP BY u.age"),
    ("parallel_setup_cost=0,parallel_tuple_cost=0,min_parallel_table_scan_size=0,min_parallel_index_scan_size=0,enable_seqscan=off", "SELECT count(*) FROM users WHERE age < 20"),
    ("enable_seqscan=off,enable_indexscan=off,enable_bitmapscan=off", "SELECT * FROM orders WHERE total = 3"),
    ("enable_hashagg=off", "SELECT age FROM users GROUP BY age"),
    ("", "SELECT * FROM users a, orders b WHERE a.id < 20 AND b.id < 30 AND a.age < b.total"),
    ("enable_seqscan=off,enable_indexscan=off", "SELECT * FROM orders WHERE user_id < 150 AND placed < '2024-01-20'"),
    ("jit_above_cost=0", "SELECT sum(total) FROM orders"),
)  # fmt: skip


def statements(script: str) -> list[str]:
    """The statements of the script above, one by one: VACUUM runs in no transaction."""
    return [part for part in re.split(r";\s*(?=[A-Z]+ |$)(?!END)", script) if part.strip()]
