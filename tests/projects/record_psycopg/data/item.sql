INSERT INTO item (id, code, place, price, labels, changed)
SELECT n, 'code-' || n, n % 100, n % 977, ARRAY['l' || n % 7], :now::timestamptz - n * interval '1 second'
FROM generate_series(1, :rows) AS n
