INSERT INTO vehicle
SELECT n, 'P' || n, jsonb_build_object('color', 'c' || n % 60, 'seats', n), 'K' || n, 'owner ' || n
  FROM generate_series(1, :rows) AS n
