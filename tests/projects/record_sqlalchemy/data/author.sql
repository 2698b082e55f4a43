INSERT INTO author (email, joined)
SELECT 'author' || n || '@example.org', :now::timestamptz - n * interval '1 minute'
FROM generate_series(1, :rows) AS n
