INSERT INTO ticket
SELECT n, n % 300 + 1, timestamp '2024-01-01' + make_interval(mins => (n * 7919 % 100000)::int), n
  FROM generate_series(1, :rows) AS n
