INSERT INTO towns SELECT n, n % 20, n % 20, repeat('x', 60) FROM generate_series(1, :rows) AS n
