INSERT INTO towns SELECT n, n % 40, n % 40, repeat('x', 60) FROM generate_series(1, :rows) AS n
