-- What the history starts on: large enough that a statement takes tens of milliseconds.
CREATE TYPE mood AS ENUM ('fine', 'sad');
CREATE TABLE account (
  id int PRIMARY KEY, email text NOT NULL, n int NOT NULL, region int NOT NULL, mood mood NOT NULL DEFAULT 'fine',
  note text NOT NULL DEFAULT ''
);
INSERT INTO account (id, email, n, region, note)
SELECT g, 'u' || g || '@example.org', 0, g % 17, repeat('x', 40) FROM generate_series(1, 30000) g;
CREATE TABLE audit (what text NOT NULL, account int NOT NULL, amount int NOT NULL);
VACUUM ANALYZE;
