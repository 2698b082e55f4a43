-- Made before the server is halted: one page is damaged then, and afterwards nothing of this is in memory.
CREATE TABLE damaged (id int PRIMARY KEY, v text);
INSERT INTO damaged SELECT g, repeat('x', 500) FROM generate_series(1, 40) AS g;
CREATE TABLE big (id int PRIMARY KEY, v text);
ALTER TABLE big ALTER v SET STORAGE PLAIN;
INSERT INTO big SELECT g, repeat('x', 6000) FROM generate_series(1, 5000) AS g;
ANALYZE big;
CHECKPOINT;
