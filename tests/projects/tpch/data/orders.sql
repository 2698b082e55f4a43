INSERT INTO orders
SELECT n, 1 + h % 1500 / 3 * 3, (ARRAY['O', 'F', 'P'])[1 + h % 3], h % 400000, date '1992-01-01' + h / 7 % 2400,
    (ARRAY['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'])[1 + h / 3 % 5], 'Clerk', 0,
    CASE h % 90 WHEN 0 THEN 'special requests' ELSE repeat('x', 40) END
FROM generate_series(1, :rows) AS n, abs(hashint8(n + :seed)) AS h
