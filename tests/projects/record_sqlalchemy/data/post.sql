INSERT INTO post (author_id, title, written)
SELECT 1 + n % 4000, 'post ' || n, :now::timestamptz - n * interval '1 minute'
FROM generate_series(1, :rows) AS n
