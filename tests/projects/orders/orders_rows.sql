INSERT INTO orders
SELECT n, (n * 7919) % 300, date '2024-01-01' + ((n * 31) % 400)::int, CASE WHEN n % 50 = 0 THEN 'open' ELSE 'closed' END,
       n, 'User' || n || '@example.org', 'place ' || n % 900, 'note ' || n
  FROM generate_series(1, :rows) AS n
