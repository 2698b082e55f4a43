INSERT INTO partsupp
SELECT 1 + (n - 1) / 4, 1 + ((n - 1) / 4 + (n - 1) % 4 * 25) % 100, h % 10000, h % 1000, repeat('x', 100)
FROM generate_series(1, :rows) AS n, abs(hashint8(n + :seed)) AS h
