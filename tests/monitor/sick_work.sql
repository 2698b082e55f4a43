-- Work that the counters remember; everything was reset before.
CREATE TABLE fresh (id int PRIMARY KEY, v text);
INSERT INTO fresh SELECT g, 'v' || g FROM generate_series(1, 2000) AS g;
UPDATE hot SET v = v + 1;
SELECT pg_stat_force_next_flush();
WITH m AS MATERIALIZED (SELECT repeat('x', 1000) || g AS v FROM generate_series(1, 85000) AS g) SELECT count(*) FROM m;
