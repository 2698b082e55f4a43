INSERT INTO lineitem
SELECT 1 + (n - 1) / 4, p, 1 + (p - 1 + h / 2000 % 4 * 25) % 100, 1 + (n - 1) % 4, 1 + h / 3 % 50, h % 90000, h / 5 % 11 / 100.0, h / 7 % 9 / 100.0,
    (ARRAY['R', 'A', 'N'])[1 + h % 3], (ARRAY['O', 'F'])[1 + h % 2], d, d + h / 11 % 60 - 20, d + h / 13 % 30,
    (ARRAY['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[1 + h / 17 % 4],
    (ARRAY['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'])[1 + h / 19 % 7], repeat('x', 25)
FROM generate_series(1, :rows) AS n, abs(hashint8(n + :seed)) AS h,
    LATERAL (SELECT (1 + h % 2000)::int AS p, date '1992-01-01' + (h / 23 % 2500)::int AS d) AS made
