INSERT INTO customer
SELECT n, 'Customer#' || n, '', h % 25, 10 + h % 25 || '-' || h % 1000, h % 11000 - 1000,
    (ARRAY['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'MACHINERY', 'HOUSEHOLD'])[1 + h / 25 % 5], repeat('x', 60)
FROM generate_series(1, :rows) AS n, abs(hashint8(n + :seed)) AS h
